"""Languages: from whatever people call one to the code that recognizers use, and back to its English name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from difflib import get_close_matches

from voice.abilities import MultilingualRecognizer
from voice.errors import VoiceError
from voice.types import Recognizer

WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})  # no spaces between words, for Whisper

# One language a line: Whisper's code, other codes of the same language (ISO 639-1, -2 and -3, old ones too),
# then its names, the usual English one first.
_TABLE = """
af afr | Afrikaans
am amh | Amharic | አማርኛ
ar ara arb arz | Arabic | العربية | عربي
as asm | Assamese | অসমীয়া
az aze azj | Azerbaijani | Azeri | Azərbaycan | Azərbaycanca
ba bak | Bashkir | Башҡортса | Башҡорт теле
be bel | Belarusian | Belorussian | Беларуская
bg bul | Bulgarian | Български
bn ben | Bengali | Bangla | বাংলা
bo bod tib | Tibetan | བོད་སྐད་ | བོད་ཡིག
br bre | Breton | Brezhoneg
bs bos | Bosnian | Bosanski
ca cat | Catalan | Valencian | Català | Valencià
cs ces cze | Czech | Čeština | Česky
cy cym wel | Welsh | Cymraeg
da dan | Danish | Dansk
de deu ger | German | Deutsch
el ell gre | Greek | Ελληνικά
en eng | English
es spa | Spanish | Castilian | Español | Castellano
et est ekk | Estonian | Eesti
eu eus baq | Basque | Euskara
fa fas per pes prs | Persian | Farsi | Dari | فارسی | دری
fi fin | Finnish | Suomi
fo fao | Faroese | Føroyskt
fr fra fre | French | Français
gl glg | Galician | Galego
gu guj | Gujarati | ગુજરાતી
ha hau | Hausa
haw | Hawaiian | ʻŌlelo Hawaiʻi
he heb iw | Hebrew | עברית
hi hin | Hindi | हिन्दी | हिंदी
hr hrv scr | Croatian | Hrvatski
ht hat | Haitian Creole | Haitian | Kreyòl ayisyen
hu hun | Hungarian | Magyar
hy hye arm | Armenian | Հայերեն
id ind in | Indonesian | Bahasa Indonesia
is isl ice | Icelandic | Íslenska
it ita | Italian | Italiano
ja jpn | Japanese | 日本語
jw jv jav | Javanese | Basa Jawa
ka kat geo | Georgian | ქართული
kk kaz | Kazakh | Қазақ | Қазақша | Қазақ тілі
km khm | Khmer | Cambodian | ខ្មែរ | ភាសាខ្មែរ
kn kan | Kannada | ಕನ್ನಡ
ko kor | Korean | 한국어
la lat | Latin | Latina
lb ltz | Luxembourgish | Letzeburgesch | Lëtzebuergesch
ln lin | Lingala | Lingála
lo lao | Lao | Laotian | ລາວ | ພາສາລາວ
lt lit | Lithuanian | Lietuvių
lv lav lvs | Latvian | Latviešu
mg mlg plt | Malagasy
mi mri mao | Maori | Māori | Te Reo Māori
mk mkd mac | Macedonian | Македонски
ml mal | Malayalam | മലയാളം
mn mon khk | Mongolian | Монгол
mr mar | Marathi | मराठी
ms msa may zsm | Malay | Bahasa Melayu
mt mlt | Maltese | Malti
my mya bur | Burmese | Myanmar | မြန်မာ | မြန်မာဘာသာ
ne nep npi | Nepali | नेपाली
nl nld dut | Dutch | Flemish | Nederlands | Vlaams
nn nno | Nynorsk | Norwegian Nynorsk | Norsk nynorsk
no nor nb nob | Norwegian | Bokmål | Norwegian Bokmål | Norsk | Norsk bokmål
oc oci | Occitan
pa pan | Punjabi | Panjabi | ਪੰਜਾਬੀ | پنجابی
pl pol | Polish | Polski
ps pus pbt | Pashto | Pushto | پښتو
pt por | Portuguese | Português
ro ron rum mo mol | Romanian | Moldavian | Moldovan | Română
ru rus | Russian | Русский
sa san | Sanskrit | संस्कृतम् | संस्कृत
sd snd | Sindhi | سنڌي
si sin | Sinhala | Sinhalese | සිංහල
sk slk slo | Slovak | Slovenčina | Slovensky
sl slv | Slovenian | Slovene | Slovenščina | Slovensko
sn sna | Shona | chiShona
so som | Somali | Soomaali
sq sqi alb als | Albanian | Shqip
sr srp scc | Serbian | Српски | Srpski
su sun | Sundanese | Basa Sunda
sv swe | Swedish | Svenska
sw swa swh | Swahili | Kiswahili
ta tam | Tamil | தமிழ்
te tel | Telugu | తెలుగు
tg tgk | Tajik | Тоҷикӣ
th tha | Thai | ไทย | ภาษาไทย
tk tuk | Turkmen | Türkmençe
tl tgl fil | Tagalog | Filipino | Pilipino
tr tur | Turkish | Türkçe
tt tat | Tatar | Татарча | Татар теле
uk ukr | Ukrainian | Українська
ur urd | Urdu | اردو
uz uzb uzn | Uzbek | Oʻzbekcha | Ўзбекча
vi vie | Vietnamese | Tiếng Việt
yi yid ji ydd | Yiddish | ייִדיש
yo yor | Yoruba | Yorùbá
yue zh-yue | Cantonese | 粵語 | 粤语 | 廣東話 | 广东话
zh zho chi cmn | Chinese | Mandarin | Chinese Simplified | Chinese Traditional | 中文 | 汉语 | 漢語 | 普通话 | 國語 | 国语 | 简体中文 | 繁體中文
"""  # noqa: E501 (names in scripts that are wider than their letters count)

_DETECT = frozenset({"", "auto", "automatic", "autodetect", "auto-detect", "detect", "und", "none"})
_APART = re.compile(r"[-_]")
_QUALIFIED = re.compile(r"[(,.@:].*", re.DOTALL)  # "Spanish (Mexico)", "es_MX.UTF-8"


def _bare(name: str) -> str:
    """Return a name without case, accents and doubled spaces, for comparison."""
    letters = unicodedata.normalize("NFKD", name).casefold()
    kept = "".join(each for each in letters if not unicodedata.combining(each) and each not in "'’ʻʼ‘")
    return " ".join(kept.split())


def _rows() -> list[tuple[list[str], list[str]]]:
    """Return the codes and the names of each language."""
    cells = ([cell.strip() for cell in line.split("|")] for line in _TABLE.strip().splitlines())
    return [(codes.split(), names) for codes, *names in cells]


_CODES = {codes[0]: tuple(codes) for codes, _ in _rows()}  # by Whisper's code
LANGUAGES = frozenset(_CODES)  # that anything here knows
_NAMES = {code: names[0] for codes, names in _rows() for code in codes}
_CALLED = {_bare(each): codes[0] for codes, names in _rows() for each in (*codes, *names)}


def name_of(code: str) -> str:
    """Return the English name of a code ("de" → "German"); a code without a name stays as it is."""
    return _NAMES.get(code, code)


def parse_language(given: str | None, known: Collection[str] | None = None) -> str | None:
    """Return the code that a recognizer knows a language by, None where it is to be detected.

    `given` may be a code of two or three letters with a region or a script ("es", "spa", "es_MX.UTF-8",
    "zh-Hans"), or a name in English or in the language itself; None, "" and "auto" ask for detection.
    Without `known`, the codes are Whisper's. Raises VoiceError for what is no language, and for one
    that is not among the codes `known`.
    """
    if given is None or _bare(given) in _DETECT:
        return None
    code = given if known and given in known else _code(given)
    if code is None:
        raise VoiceError(f"there is no language {given[:40]!r} here; {_hint(given, known)}")
    if known is None or code in known:
        return code
    for same in _CODES.get(code, ()):
        if same in known:
            return same
    if len(known) == 1:
        only = f"this recognizer only transcribes {next(iter(known))!r}"
        raise VoiceError(f"{only}; use whisper-base for {name_of(code)} ({code})")
    raise VoiceError(f"this recognizer does not know {name_of(code)} ({code}); {_choices(known)}")


def language_for(recognizer: Recognizer, given: str | None) -> str | None:
    """Return the code by which a loaded recognizer knows the language `given`, as `parse_language` does."""
    return parse_language(given, languages_of(recognizer))


def languages_of(recognizer: Recognizer) -> Collection[str] | None:
    """Return the codes of the languages that a recognizer knows, None if it does not name them."""
    return recognizer.languages if isinstance(recognizer, MultilingualRecognizer) else None


def _code(given: str) -> str | None:
    """Return Whisper's code of what people call a language, None if it is none."""
    name = _bare(_QUALIFIED.sub("", given))
    first, *rest = _APART.split(name)
    tries = [name, f"{first}-{rest[0]}" if rest else first, first]
    tries += name.split()[-1:]  # "Brazilian Portuguese"
    return next((_CALLED[each] for each in tries if each in _CALLED), None)


def _hint(given: str, known: Collection[str] | None) -> str:
    name = _bare(_QUALIFIED.sub("", given))
    names = [each for each in _CALLED if len(each) > 3] if len(name) > 3 else list(_CALLED)
    near = dict.fromkeys(_CALLED[each] for each in get_close_matches(name, names, n=3, cutoff=0.7))
    close = [code for code in near if not known or code in known]
    if close:
        return "did you mean " + " or ".join(f"{name_of(code)} ({code})" for code in close) + "?"
    return "give its name or its code, such as Spanish or es, or auto" if known is None else _choices(known)


def _choices(known: Collection[str]) -> str:
    return "it knows " + " ".join(sorted(known))
