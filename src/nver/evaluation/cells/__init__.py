"""A cell of a table: trained and tested on every fold.

`cell` says what is evaluated and what decides its numbers, `cell_checks` refuses what would be
wrong, `cross_validation` sends the trainings to the workers, `fold_data` is what they read,
`fold_training` what they do for one fold, and `fold_tables` puts the folds together.
"""
