"""Whether a text is English, judged by the small words that every sentence of a language needs."""

from __future__ import annotations

import re

# Words that are frequent in one language and rare in English. A word may belong to several languages.
_SMALL_WORDS = """
de: der das und ist nicht ich du sie wir ihr ein eine einen dem den auf mit für von zu zum zur im auch
    aber wie wenn nur noch schon heute guten bitte danke sehr kann wird haben sind auch sich über
fr: le la les des du une est et je tu il nous vous pas que qui dans pour avec sur au aux ce cette mais
    très bonjour merci être sont mon votre où c'est j'ai d'une qu'il n'est
es: el la los las una es y yo que no de en por para con muy pero cómo está están mi su del al hola gracias
    buenos días son este esta más
it: il lo gli una è e io che non di per con molto ma come sono mi suo del della al ciao grazie questo
    questa più nel nella buongiorno
pt: o os as uma é e eu que não de em por para com muito mas como está são meu seu do da ao olá obrigado
    este esta mais você
nl: de het een en is niet ik jij je wij van op met voor te zijn ook maar hoe als nog dank goed dat deze
    naar heb heeft wordt
pl: i w na nie się jest że z do to ja jak ale dla po co czy dzień dobry dziękuję bardzo są ten
sv: och är inte jag du vi ni en ett det som på med för av till också men hur tack mycket kan har
tr: ve bir bu ben sen çok için ile ama nasıl değil merhaba teşekkür ne var yok olarak gibi
"""
_WORDS = {
    code: frozenset(words.split())
    for code, words in re.findall(r"^(\w\w): (.+(?:\n .+)*)", _SMALL_WORDS, re.MULTILINE)
}
_ENGLISH_WORDS = frozenset(
    """
    the and is are was were not i you he she it we they this that of to in on for with at by from as but
    what how a an my your his her have has had will would can could do does did be been there which who
    when
    """.split()
)
_LATIN_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
FEWEST = 2  # different small words of another language
SHARE = 0.25  # of all words


def foreign_language(text: str) -> str | None:
    """Return the code of the language that `text` is most likely in, None if that is English or not clear.

    Names, quotations and single foreign words within English leave it unclear. Only languages in Latin
    letters are told apart.
    """
    words = [word.lower().replace("’", "'") for word in _LATIN_WORD.findall(text)]
    ours = sum(word in _ENGLISH_WORDS for word in words)
    found = {language: [word for word in words if word in some] for language, some in _WORDS.items()}
    language = max(found, key=lambda each: (len(found[each]), len(set(found[each]))))
    theirs = found[language]
    clear = len(set(theirs)) >= FEWEST and len(theirs) >= SHARE * len(words) and len(theirs) > 2 * ours
    return language if clear else None
