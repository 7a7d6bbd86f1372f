"""Texts that match a regular expression of the model and have a wanted length, and whether a text matches one."""

import re
from re import _constants as kinds
from re import _parser as parser

# Tried in this order where a class admits several.
CANDIDATES = [chr(code) for code in [*range(0x61, 0x7B), *range(0x30, 0x3A), *range(0x41, 0x5B), *range(0x20, 0x100)]]


def matches(pattern, text):
    """Whether the whole text matches, with ASCII classes, as the service's engine reads the patterns."""
    return re.fullmatch(pattern, text, re.ASCII) is not None


def matching(pattern, length):
    """A text that matches; of the wanted length if the pattern can be stretched or is as long by itself."""
    shortest = _write(parser.parse(pattern, re.ASCII), _Stretch(0))
    text = _write(parser.parse(pattern, re.ASCII), _Stretch(max(0, length - len(shortest))))
    assert matches(pattern, text), (pattern, text)
    return text


class _Stretch:
    """How many more characters the first repetition that may be long gets."""

    def __init__(self, more):
        self.more = more

    def take(self, room):
        taken = min(self.more, room)
        self.more -= taken
        return taken


def _write(nodes, stretch):
    return "".join(_write_one(kind, value, stretch) for kind, value in nodes)


def _write_one(kind, value, stretch):
    if kind == kinds.LITERAL:
        return chr(value)
    if kind == kinds.AT:
        return ""
    if kind == kinds.SUBPATTERN:
        return _write(value[3], stretch)
    if kind == kinds.BRANCH:
        return _write(value[1][0], stretch)
    if kind == kinds.MAX_REPEAT:
        least, most, repeated = value
        if len(repeated) == 1 and repeated[0][0] in (kinds.IN, kinds.ANY):
            room = 1 << 20 if most == kinds.MAXREPEAT else most - least
            return _write(repeated, stretch) * (least + stretch.take(room))
        return "".join(_write(repeated, stretch) for _ in range(least))
    if kind == kinds.IN:
        return _character(value)
    if kind == kinds.ANY:
        return CANDIDATES[0]
    raise NotImplementedError(f"a pattern of the model uses {kind}: teach this file")


def _character(members):
    return next(character for character in CANDIDATES if any(_holds(member, ord(character)) for member in members))


def _holds(member, code):
    kind, value = member
    if kind == kinds.LITERAL:
        return code == value
    if kind == kinds.RANGE:
        return value[0] <= code <= value[1]
    if kind == kinds.CATEGORY:
        classes = {kinds.CATEGORY_WORD: r"\w", kinds.CATEGORY_DIGIT: r"\d", kinds.CATEGORY_SPACE: r"\s"}
        return matches(classes[value], chr(code))
    raise NotImplementedError(f"a pattern of the model uses {kind}: teach this file")
