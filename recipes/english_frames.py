"""Prints English sentences of uses that treebanks have too rarely, with both tagsets, as JSON lines.

    python -m recipes.english_frames --seed 1 > en_frames-train.jsonl

The noun `well`; verbs that begin a request without an object (Like and share!); verbs made from names (Google it.); 's
before a participle (Tom 's gone.). In a frame, `the/DET/DT` is a word with its tags, and `<who>` a slot of `SLOTS`.
"""

from __future__ import annotations

import argparse
import re
import sys

import numpy as np

from recipes.native import record
from rnntag.sentences import NATIVE, Sentence

SENTENCES = 4000

SLOTS = {
    "a": """
        the/DET/DT a/DET/DT this/DET/DT that/DET/DT
    """,
    "adj": """
        dry/ADJ/JJ deep/ADJ/JJ new/ADJ/JJ narrow/ADJ/JJ empty/ADJ/JJ cold/ADJ/JJ dangerous/ADJ/JJ old/ADJ/JJ
    """,
    "noun": """
        bucket/NOUN/NN rope/NOUN/NN field/NOUN/NN farm/NOUN/NN hill/NOUN/NN barn/NOUN/NN road/NOUN/NN town/NOUN/NN
        house/NOUN/NN fence/NOUN/NN horse/NOUN/NN coin/NOUN/NN child/NOUN/NN
    """,
    "prep": """
        by/ADP/IN near/ADP/IN behind/ADP/IN beyond/ADP/IN outside/ADP/IN
    """,
    "past": """
        found/VERB/VBD filled/VERB/VBD dug/VERB/VBD drilled/VERB/VBD visited/VERB/VBD repaired/VERB/VBD saw/VERB/VBD
        sealed/VERB/VBD bought/VERB/VBD
    """,
    "is": """
        is/AUX/VBZ was/AUX/VBD looks/VERB/VBZ seemed/VERB/VBD
    """,
    "act": """
        like/VERB/VB share/VERB/VB comment/VERB/VB subscribe/VERB/VB follow/VERB/VB retweet/VERB/VB vote/VERB/VB
        tag/VERB/VB click/VERB/VB watch/VERB/VB read/VERB/VB donate/VERB/VB join/VERB/VB save/VERB/VB pin/VERB/VB
    """,
    "thing": """
        it/PRON/PRP this/PRON/DT them/PRON/PRP this/DET/DT_picture/NOUN/NN our/PRON/PRP$_channel/NOUN/NN
        the/DET/DT_story/NOUN/NN my/PRON/PRP$_song/NOUN/NN the/DET/DT_link/NOUN/NN that/DET/DT_tweet/NOUN/NN
    """,
    "search": """
        google/VERB/VB Google/VERB/VB text/VERB/VB email/VERB/VB message/VERB/VB skype/VERB/VB photoshop/VERB/VB
        facebook/VERB/VB bookmark/VERB/VB youtube/VERB/VB
    """,
    "searched": """
        googled/VERB/VBD Googled/VERB/VBD texted/VERB/VBD emailed/VERB/VBD messaged/VERB/VBD bookmarked/VERB/VBD
    """,
    "it": """
        it/PRON/PRP him/PRON/PRP her/PRON/PRP them/PRON/PRP me/PRON/PRP the/DET/DT_word/NOUN/NN
        that/DET/DT_phrase/NOUN/NN his/PRON/PRP$_number/NOUN/NN the/DET/DT_question/NOUN/NN
        the/DET/DT_directions/NOUN/NNS
    """,
    "subject": """
        I/PRON/PRP you/PRON/PRP we/PRON/PRP they/PRON/PRP
    """,
    "who": """
        Jack/PROPN/NNP Susan/PROPN/NNP David/PROPN/NNP Kate/PROPN/NNP Lucy/PROPN/NNP he/PRON/PRP she/PRON/PRP
        it/PRON/PRP my/PRON/PRP$_sister/NOUN/NN the/DET/DT_bus/NOUN/NN your/PRON/PRP$_boss/NOUN/NN somebody/PRON/NN
        the/DET/DT_money/NOUN/NN that/DET/DT_girl/NOUN/NN winter/NOUN/NN
    """,
    "gone": """
        gone/VERB/VBN left/VERB/VBN come/VERB/VBN fallen/VERB/VBN stopped/VERB/VBN disappeared/VERB/VBN
        died/VERB/VBN changed/VERB/VBN started/VERB/VBN grown/VERB/VBN escaped/VERB/VBN
    """,
    "adv": """
        already/ADV/RB just/ADV/RB never/ADV/RB finally/ADV/RB really/ADV/RB
    """,
    "place": """
        Spain/PROPN/NNP Boston/PROPN/NNP Japan/PROPN/NNP Rome/PROPN/NNP school/NOUN/NN the/DET/DT_store/NOUN/NN
        work/NOUN/NN
    """,
    "end": """
        ./PUNCT/. !/PUNCT/.
    """,
    "if": """
        if/SCONJ/IN_you/PRON/PRP_agree/VERB/VBP if/SCONJ/IN_you/PRON/PRP_can/AUX/MD
        when/ADV/WRB_you/PRON/PRP_have/VERB/VBP_time/NOUN/NN
    """,
}

FRAMES = (
    "<a> well/NOUN/NN <is> <adj> <end>",
    "<a> <adj> well/NOUN/NN <is> <adj> <end>",
    "<subject> <past> <a> well/NOUN/NN <prep> the/DET/DT <noun> <end>",
    "<subject> <past> <a> <adj> well/NOUN/NN <end>",
    "the/DET/DT <noun> fell/VERB/VBD into/ADP/IN <a> well/NOUN/NN <end>",
    "there/PRON/EX is/VERB/VBZ a/DET/DT well/NOUN/NN <prep> the/DET/DT <noun> <end>",
    "the/DET/DT water/NOUN/NN in/ADP/IN <a> well/NOUN/NN <is> <adj> <end>",
    "<subject> know/VERB/VBP <a> <noun> well/ADV/RB <end>",
    "well/INTJ/UH ,/PUNCT/, <subject> <past> <a> <noun> <end>",
    "<act> and/CCONJ/CC <act> <end>",
    "<act> and/CCONJ/CC <act>",
    "<act> ,/PUNCT/, <act> and/CCONJ/CC <act> <end>",
    "<act> and/CCONJ/CC <act> <thing> <end>",
    "<act> <thing> and/CCONJ/CC <act> <end>",
    "<act> or/CCONJ/CC <act> <if> <end>",
    "please/INTJ/UH <act> and/CCONJ/CC <act> <thing> <end>",
    "do/AUX/VB n't/PART/RB forget/VERB/VB to/PART/TO <act> and/CCONJ/CC <act> <end>",
    "<act> <thing> <if> <end>",
    "<search> <it> <end>",
    "<search> <it> <if> <end>",
    "just/ADV/RB <search> <it> <end>",
    "<subject> can/AUX/MD <search> <it> <end>",
    "<subject> <searched> <it> yesterday/NOUN/NN <end>",
    "<subject> <searched> <it> <end>",
    "do/AUX/VBP n't/PART/RB <search> <it> <end>",
    "did/AUX/VBD <subject> <search> <it> ?/PUNCT/.",
    "<who> 's/AUX/VBZ <gone> <end>",
    "<who> 's/AUX/VBZ <adv> <gone> <end>",
    "<who> 's/AUX/VBZ been/AUX/VBN to/ADP/IN <place> <end>",
    "<who> 's/AUX/VBZ gone/VERB/VBN to/ADP/IN <place> <end>",
    "<subject> think/VERB/VBP <who> 's/AUX/VBZ <gone> <end>",
    "<who> 's/AUX/VBZ <gone> again/ADV/RB <end>",
    "<who> 's/AUX/VBZ <adj> <end>",
)


def sentence(random: np.random.Generator) -> list[list[str]]:
    """A sentence as words with their tags: form, UPOS, Penn Treebank tag."""
    frame = str(random.choice(FRAMES))
    filled = re.sub(r"<(\w+)>", lambda slot: str(random.choice(SLOTS[slot[1]].split())).replace("_", " "), frame)
    words = [word.rsplit("/", 2) for word in filled.split()]
    if random.random() < 0.85:
        words[0][0] = words[0][0][0].upper() + words[0][0][1:]
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    random = np.random.default_rng(parser.parse_args().seed)
    for _ in range(SENTENCES):
        forms, upos, native = zip(*sentence(random), strict=True)
        sys.stdout.write(record(Sentence(forms), {"upos": upos, NATIVE: native}, {}))


if __name__ == "__main__":
    main()
