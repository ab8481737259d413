"""What is known of words: which say nothing about the answer, which mean the same, and which turn an answer round."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tracemill.text.symbols import words_of
from tracemill.text.wording.contrasts import CONTRASTS
from tracemill.text.wording.stemming import stem

# Words that may come, go and be swapped: grammar, politeness, and the many ways to ask for a value. What relates two
# quantities (from, into, per, more, or, not, ...) is not among them.
EMPTY = words_of(
    """a an the this that these those it its it's he she they them their his her him hers we us our you your i my me
    is are was were be been being am do does did done has have had having will would shall should can could may might
    of to in on at by with for as and so such there here then if when where what which who whose whom how why
    many much find determine compute calculate evaluate obtain solve show tell say state give get know please
    answer question problem task exercise following given suppose assume assuming consider let denote define defined
    called value values result thank thanks kindly help need want now just also very really about exactly correct
    number amount quantity total altogether overall expression follows ok okay hello hi dear exact numerical
    make sure code function program write implement create return that's what's let's i'm don't
    using use used based simply simple explain describe briefly provide"""
)
_OTHER_LANGUAGES = words_of(
    """le la les un une des du et est dans que qui pour sur par avec quel quelle combien el los las una de del y en
    para por con cuál qué es son der die das ein eine und ist von mit für auf den dem wie viele il di che e sono
    o os as um uma do da em não é и в на что с по для как из сколько это de het een van en is"""
)
_EMPTY_CHINESE = frozenset("的了吗呢吧啊呀请求是有和与及跟就也很这那一个们所着过要会能可以为于在之其它他她则")

ASKERS = words_of("who whom whose when where why")  # where they open a sentence
NEGATIONS = words_of("not no never without except neither nor cannot none unless 不 没 无 非 未 除")
# Groups that WordNet does not hold, in the words of problems; the first names the group.
_SAME = """
each every
remove delete eliminate
travel cover go drive
divisor factor
bag sack
kid child children
km kilometer kilometre
m meter metre
cm centimeter centimetre
mm millimeter millimetre
kg kilogram kilo
g gram
h hr hour
min minute
sec second
people person persons
men man
women woman
feet foot
shop store market
picture photo
begin start
finish end complete
largest greatest biggest maximum maximal max maximize highest
smallest least minimum minimal min minimize lowest
sum total add
remain left leftover rest
full entire whole
per each
identical same
distinct different
roll throw toss
probability chance likelihood
pupil student
cost price
speed pace
twice double
compare contrast
check determine
suggest recommend
string text
rule formula
integer whole
equation formula
pick choose select draw
reverse invert
hold contain include
""".strip().splitlines()
WRITTEN = len(_SAME)  # senses below this number are the groups above: they go before any contrast
EMPTY_CHINESE = _EMPTY_CHINESE
COMMON_CHINESE = frozenset(  # two characters in three of a plain text
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事"
    "成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公"
    "此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回"
    "特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变四神总何"
    "电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼书非则听白"
    "却界达光放强即像难且权思王象完设式色路记南品住告类求据程北边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导"
    "红圆角半径周积米厘元岁请写函列图值除乘减减倍率概球苹糖页铁店商速"
)
GRAMMAR = EMPTY | _OTHER_LANGUAGES


@lru_cache(maxsize=1)
def synonyms() -> dict[str, frozenset[int]]:
    """The senses of every word that shares one with another, by the word's stem."""
    text = (Path(__file__).parent / "synonyms.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    senses: dict[str, set[int]] = {}
    for number, line in enumerate([*_SAME, *lines]):
        for word in line.split():
            senses.setdefault(stem(word), set()).add(number)
    return {word: frozenset(numbers) for word, numbers in senses.items()}


@lru_cache(maxsize=1)
def contrasts() -> dict[str, tuple[int, ...]]:
    """By the stem of a word, the lines of contrast it stands in."""
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(CONTRASTS):
        for word in {stem(word) for word in line}:
            lines.setdefault(word, []).append(number)
    return {word: tuple(numbers) for word, numbers in lines.items()}
