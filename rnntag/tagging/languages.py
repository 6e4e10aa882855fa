"""A rough guess at the language of a text, for hints: its script, and how often its words are function words."""

from __future__ import annotations

import re
from collections.abc import Mapping

LOOKS_AT = 2_000
"""Characters at the start of a text that the guess is made from."""
_LEAST, _LEAST_SHARE = 3, 0.08
"""Function words that a text must have, and their least share of its words."""
_LEAD = 1.5
"""It must have so many times as many of them as of English ones, which do not count as theirs."""

_SCRIPTS: Mapping[str, tuple[re.Pattern[str], float]] = {
    name: (re.compile(f"[{letters}]"), share)
    for name, letters, share in (
        ("Japanese", "\u3041-\u30ff", 0.1),
        ("Chinese", "\u3400-\u9fff", 0.3),
        ("Korean", "\uac00-\ud7a3", 0.3),
        ("Thai", "\u0e01-\u0e4e", 0.3),
        ("Hebrew", "\u05d0-\u05ea", 0.3),
        ("Greek", "\u0370-\u03ff\u1f00-\u1fff", 0.3),
        ("Armenian", "\u0531-\u0587", 0.3),
        ("Georgian", "\u10a0-\u10ff", 0.3),
        ("Hindi", "\u0900-\u097f", 0.3),
        ("Uyghur", "\u06d0\u06c6\u06c7\u06c8\u06cb", 0.03),
        ("Persian", "\u067e\u0686\u0698\u06a9\u06af\u06cc", 0.03),
    )
}
"""Letters by language and their least share of a text's letters, the most telling first: a Japanese text has Chinese
characters too, and Persian and Uyghur have letters that Arabic does not."""

_FUNCTION_WORDS = {
    name: frozenset(words.split())
    for name, words in {
        "English": "the to and a of i in you is that it for on with was this be they not are as we my will",
        "Afrikaans": "af die van en te in om wat is ons word vir nie sal op moet of dat aan dit met hierdie het deur",
        "Catalan": "de el la els les i que a per en un una va ha amb es no més com és aquest seva hi del",
        "Croatian": "je i u na se za su da od će kako s a iz bi koji ne kao koje što to do nakon te",
        "Czech": "a v se na je s z o k nebo že ve do pro za které to jako i by při byl podle jsou",
        "Dutch": "de van het in en een zijn op te hij dat met voor is die was ook als aan door niet er maar uit",
        "Finnish": "ja on että ei oli se hän kun kuin sen joka mutta tai ovat hänen myös niin ole jos sitä voi tämä",
        "French": "le de à la les et est en un il une que dans pour qui je pas par des du au sur ce ne",
        "Galician": "o a de en que e os as se un unha con non para como é máis súa seu ou tamén lle sobre do",
        "German": "die der und in dem zu von das den mit es an ist für auf sich ein eine ich nicht des als er sie",
        "Icelandic": "að í og það er á sem ég við ekki til því um en með fyrir þetta af þá var þess eru eða verið",
        "Indonesian": "yang dan di pada dengan dari ini untuk dalam akan itu adalah oleh atau tersebut juga tidak ke",
        "Irish": "an a agus ar na ag i go le is sé é sin de ó seo ach mar leis ní faoi mé gur san",
        "Italian": "di il la a che in e è i le un per da si non una gli con su lo della del ha più",
        "Latvian": "un ir ar par ka no uz kā bet arī kas vai es bija lai tā ko to viņa ja tas jau tikai nav",
        "Lithuanian": "ir kad į tai o su iš kaip ne yra ar savo bet jis tik apie jų jie taip buvo nes kai dėl dar",
        "Maltese": "li u ta' ma kien biex dan fuq minn xi jew jekk għal qed kif se hu meta dawn għax imma il l ta",
        "Norwegian": "det i og er på å som en for til av at med jeg ikke de om har han et den ein eg dei",
        "Polish": "w i na się z do nie jest że to jak o po przez ale a od tym również jako jego dla za są",
        "Portuguese": "de a o em e que os para as por com se um uma é não mais como do da no na ao foi",
        "Romanian": "de în și a la cu se o un să care mai din este pe nu pentru că au sau prin ca al ce",
        "Russian": "в и на с не что как по это он из к я для его но от был у за до они а о",
        "Scottish Gaelic": "a an e air agus iad na aig gu do i ach mi sin am ann is ag ri gun anns de le cha",
        "Slovak": "a v sa na je z že s aj do po o ako jeho by od bol to k ktorý vo pri medzi sú",
        "Slovenian": "v in je na da se pa za ne ki so tudi z bi to s tako še kot po ali lahko ja pri",
        "Spanish": "de el la en que a y los se un las por con una su no para es lo como más del al pero",
        "Swedish": "och att i som av en det för den är på de till med ett inte om var men har han från sig under",
        "Turkish": "bir ve bu ki için de da daha olarak ile gibi çok sonra en her ancak o kadar ne önce ama",
        "Ukrainian": "і в що на з ми не до я це у про за тому сьогодні які а щоб для зараз як щодо та від",
        "Vietnamese": "và của là không đã được những các trong đó này cũng lại với tôi thì đến cho ở phải sẽ để",
        "Welsh": "yn i y o a ar yr wedi ei ac am ni gan eu mae hi â chi nid gyda yw fel oedd ym",
    }.items()
}  # fmt: skip
_ENGLISH = _FUNCTION_WORDS["English"]
_OTHERS = {name: words - _ENGLISH for name, words in _FUNCTION_WORDS.items()}
_WORDS = re.compile(r"[^\W\d_]+'?")


def other_language(text: str) -> str:
    """The language that a text seems to be in, by its English name; "" for Chinese, English and what is not clear."""
    text = text[:LOOKS_AT]
    letters = sum(map(str.isalpha, text))
    for name, (pattern, share) in _SCRIPTS.items():
        if letters and len(pattern.findall(text)) >= share * letters:
            return "" if name == "Chinese" else name
    words = _WORDS.findall(text.lower())
    hits = {name: sum(word in known for word in words) for name, known in _OTHERS.items()}
    best = max(hits, key=lambda name: hits[name])
    least = max(_LEAST, _LEAST_SHARE * len(words), _LEAD * sum(word in _ENGLISH for word in words))
    return best if hits[best] >= least else ""
