"""Adam (Kingma and Ba 2015) by torch's own fused function, without its optimiser class.

The class loads torch's compiler when it is first made: 1.5 s in each worker process.
"""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """The bits of `torch.optim.Adam(parameters, learning_rate, fused=True)`."""

    def __init__(
        self, parameters: Iterable[Tensor], learning_rate: float, weight_decay: float = 0.0
    ) -> None:
        self.parameters = list(parameters)
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]

    def zero_grad(self) -> None:
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """One step along the gradients; a parameter without one stays as it is."""
        gradients = {n: p.grad for n, p in enumerate(self.parameters) if p.grad is not None}
        parameters, means, squares, steps = (
            [values[n] for n in gradients]
            for values in (self.parameters, self.means, self.squares, self.steps)
        )
        adam(
            parameters,
            list(gradients.values()),
            means,
            squares,
            max_exp_avg_sqs=[],
            state_steps=steps,
            fused=True,
            amsgrad=False,
            beta1=0.9,  # torch's defaults, as the next
            beta2=0.999,
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )
