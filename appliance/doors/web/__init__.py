"""The web door: the console in a browser, behind a login of its own.

textual-serve carries a Textual program to a terminal in a page. It has no
login, no check of the Origin, no cap, runs a shell, lists its folder and loads
fonts from the network: all of that is replaced here, and only its terminal and
its way of talking to the program are kept.
"""
