"""Answers judged by what they do: each property turns what was read into what is compared.

A property takes what a case's `read` steps saw, the case, and the functions of one reference by name. It
returns labels and values in place of what was read, or raises `ValueError` with a sentence for the learner
when what was read cannot be used at all. It knows no right answer.

Each module of this package names its properties, and the references they run, in its `NEEDS`.
"""
