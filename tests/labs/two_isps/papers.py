"""The lab of the paper and its published values, read once."""

from labs.ftp_filter import FOLDER
from labs.lab_file import read_lab
from labs.published.paper import read_paper

LAB = FOLDER.parent / "two-isps"
TWO = read_lab(LAB)
PAPER = read_paper(LAB)
