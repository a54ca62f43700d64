"""What a paper published beside what a lab of it gives: measures, the published values, judgements, tables."""

from labs.published.figures import figures

__all__ = ["figures"]
