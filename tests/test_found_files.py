"""Paths of tables from other machines: found and said, or refused with the reason."""

from pathlib import Path
from unicodedata import normalize

import pytest

from helpers_corpora import touch
from nver.corpora import Corpus, load_corpus
from nver.errors import CorpusError

NFC, NFD = (normalize(form, "Ärger") for form in ("NFC", "NFD"))


def corpus(folder: Path, files: list[str], paths: list[str]) -> Corpus:
    touch(folder, files)
    lines = ["file\temotion", *(f"{path}\tjoy" for path in paths)]
    (folder / "t.tsv").write_text("\n".join(lines), encoding="utf-8")
    return load_corpus("mine", folder / "t.tsv")


FOUND = {  # the path as it stands, the file, words of the warnings
    "as it is": ("wav/a.wav", "wav/a.wav", []),
    "a dot": ("./wav//a.wav", "wav/a.wav", []),
    "composed": (f"wav/{NFC}.wav", f"wav/{NFD}.wav", []),
    "decomposed": (f"{NFD}/{NFD}.wav", f"{NFC}/{NFC}.wav", []),
    "backslashes": (r"wav\a.wav", "wav/a.wav", ["backslashes"]),
    "backslashes and dots": (r".\x\..\wav\a.wav", "wav/a.wav", ["backslashes"]),
    "case": ("Wav/A.WAV", "wav/a.wav", ["another case"]),
    "case of other letters": ("ÄRGER.wav", f"{NFD.lower()}.wav", ["another case"]),
    "a ligature": ("wav/ﬁ.wav", "wav/fi.wav", ["joined or special letters"]),
    "letters joined in the file": ("off.wav", "oﬀ.wav", ["joined or special"]),
    "a sharp s": ("straße.wav", "strasse.wav", ["joined or special letters"]),
    "suffix": ("wav/a.mp3", "wav/a.wav", ["another suffix"]),
    "no suffix": ("wav/a", "wav/a.wav", ["another suffix"]),
    "no suffix and dots": ("wav/a.1", "wav/a.1.wav", ["another suffix"]),
    "case and suffix": ("WAV/A.MP3", "wav/a.wav", ["another case", "another suffix"]),
    "a drive": (r"C:\data\wav\a.wav", "wav/a.wav", ["backslashes", "a beginning"]),
    "a drive, slashes": ("D:/wav/a.wav", "wav/a.wav", ["a beginning"]),
    "a share": (r"\\server\share\wav\a.wav", "wav/a.wav", ["backslashes", "a beginning"]),
    "another machine": ("/home/bob/data/wav/a.wav", "wav/a.wav", ["a beginning"]),
    "a folder above": ("corpus/wav/a.wav", "wav/a.wav", ["a beginning"]),
    "percent codes": ("my%20wav/%C3%84.wav", "my wav/Ä.wav", ["percent codes"]),
    "quotes": ("'wav/a.wav'", "wav/a.wav", ["quotes"]),
    "curly quotes": ("“wav/a.wav”", "wav/a.wav", ["quotes"]),
    "an address": ("file:///home/bob/wav/a.wav", "wav/a.wav", ["address", "a beginning"]),
    "an address with a drive": ("file:///C:/x/wav/a.wav", "wav/a.wav", ["address", "a beginning"]),
    "a folder below": ("a.wav", "clips/a.wav", ["a folder below"]),
    "a folder below and suffix": ("a.mp3", "clips/a.wav", ["another suffix", "a folder below"]),
    "an object": ('{"bytes": null, "path": "wav/a.wav"}', "wav/a.wav", []),
}


@pytest.mark.parametrize("kind", FOUND)
def test_a_path_of_another_machine_finds_its_file(tmp_path: Path, kind: str) -> None:
    path, file, words = FOUND[kind]
    found = corpus(tmp_path, [file, "else/b.wav"], [path])
    assert found.table["file"].tolist() == [str(tmp_path / file)]
    assert found.table["clip"].tolist() == [normalize("NFC", file.rpartition(".")[0])]
    assert len(found.warnings) == len(words)
    assert all(word in warning for word, warning in zip(words, found.warnings, strict=True))
    assert all(w.startswith("1 path has ") and repr(path) in w for w in found.warnings)


def test_a_file_that_is_named_so_is_taken_as_it_is(tmp_path: Path) -> None:
    names = [r"wav\a.wav", "my%20a.wav", "'a'.wav", "A.wav", "a.wav"]
    found = corpus(tmp_path, [*names, "wav/a.wav", "my a.wav"], names)
    assert sorted(found.table["file"]) == sorted(str(tmp_path / name) for name in names)
    assert found.warnings == ()


REFUSED = {  # files, paths, the skipped messages
    "absent": (["a.wav"], ["a.wav", "b.wav"], ["b.wav: no such file"]),
    "two suffixes": (["a.wav", "b.wav", "b.flac"], ["a.wav", "b.mp3"], ["b.flac, "]),
    "two cases": (["a.wav", "B.wav", "b.WAV"], ["a.wav", "b.wav"], ["B.wav, "]),
    "two folders": (["a.wav", "x/b.wav", "y/b.wav"], ["a.wav", "b.wav"], ["x/b.wav, "]),
    "an end by chance": (["s1/a.wav", "b.wav"], ["s1/a.wav", "s2/b.wav"], ["by its end only"]),
    "an end by chance elsewhere": (
        ["s1/a.wav", "b.wav"],
        ["/home/x/s1/a.wav", "/home/x/s2/b.wav"],
        ["by its end only"],
    ),
    "two of one": (
        ["c.wav", "a.wav"],
        ["c.wav", "/home/s1/a.wav", "/home/s2/a.wav"],
        ["by its end only, and another path leads to it too; if it is meant, write its path"] * 2,
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_a_path_that_may_mean_two_files_or_none_is_refused(tmp_path: Path, kind: str) -> None:
    files, paths, words = REFUSED[kind]
    skipped = corpus(tmp_path, files, paths).skipped
    assert skipped["reason"].tolist() == ["missing"] * len(words)
    assert all(w in message for w, message in zip(words, skipped["message"], strict=True))


def test_rows_of_one_path_are_counted_and_kinds_are_said_once(tmp_path: Path) -> None:
    touch(tmp_path, [f"wav/{k}.wav" for k in range(12)])
    rows = [f"wav\\{k}.wav,joy,{s},{s + 1}" for k in range(12) for s in (0, 1)]
    (tmp_path / "t.csv").write_text("\n".join(["file,emotion,start,end", *rows]))
    (warning,) = load_corpus("mine", tmp_path / "t.csv").warnings
    assert warning == (
        r"24 paths have backslashes, read as the ends of folders: 'wav\\0.wav' is read as "
        "'wav/0.wav'"
    )


def test_one_file_in_two_forms_is_one_clip(tmp_path: Path) -> None:
    found = corpus(tmp_path, [f"{NFD}.wav"], [f"{NFC}.wav", f"{NFD}.wav", f".\\{NFC}.wav"])
    assert found.table["clip"].tolist() == [NFC]
    assert found.skipped["reason"].tolist() == ["duplicate name"] * 2


def test_where_every_file_is_missing_the_error_says_where_they_were_looked_for(
    tmp_path: Path,
) -> None:
    with pytest.raises(CorpusError) as refused:
        corpus(tmp_path, ["audio/a.wav"], ["wav/x.wav", "wav/y.wav"])
    assert "wav/x.wav: no such file" in str(refused.value)
    assert f"relative to {tmp_path}, which holds audio, t.tsv" in str(refused.value)


def test_metadata_of_windows_finds_its_files(tmp_path: Path) -> None:
    touch(tmp_path, ["train/wav/a.wav", "test/wav/b.wav"])
    for split, path in (("train", r"wav\a.wav"), ("test", r"C:\hf\test\wav\b.wav")):
        (tmp_path / split / "metadata.csv").write_text(f"file_name,label\n{path},joy\n")
    found = load_corpus("mine", tmp_path)
    assert found.table["clip"].tolist() == ["test/wav/b", "train/wav/a"]
    assert found.table["split"].tolist() == ["test", "train"]
