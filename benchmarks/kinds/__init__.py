"""Kinds of text that models tend to get wrong, each with a generator of sentences and their right answers.

python -m benchmarks.kinds --model zh-en
"""

from benchmarks.kinds import chinese, signs, tags, web

KINDS = (*signs.KINDS, *chinese.KINDS, *web.KINDS, *tags.KINDS)
