"""What the doctor says: what is wrong, the numbers that show it, and what may help."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    name : str
        What it is, in a word or two, such as "dead units".
    where : str
        Which layer, input or class; empty for the whole.
    evidence : str
        The numbers that show it.
    remedy : str
        What may help, in plain words.
    """

    name: str
    where: str
    evidence: str
    remedy: str

    def __str__(self) -> str:
        """Return it as a paragraph."""
        place = f", {self.where}" if self.where else ""
        return f"{self.name}{place}: {self.evidence}. {self.remedy}."
