"""The units with a known size: what each is in base units, exactly, so that units of one dimension can be converted.

SI units are known with every usual prefix (`kΩ`, `milliamperes`, `千伏`).
"""

from __future__ import annotations

import re
from fractions import Fraction

Bases = tuple[tuple[str, int], ...]

_TABLE = """
m 1 m meter meters metre metres 米 公尺
m 1000 km kilometer kilometers kilometre kilometres 千米 公里
m 0.01 cm centimeter centimeters centimetre centimetres 厘米 公分
m 0.1 dm decimeter decimeters 分米
m 0.001 mm millimeter millimeters millimetre millimetres 毫米
m 0.3048 ft foot feet 英尺
m 0.0254 in inch inches 英寸
m 0.9144 yd yard yards 码
m 1609.344 mi mile miles 英里
m2 10000 ha hectare hectares 公顷
m2 4046.8564224 acre acres 英亩
m2 2000/3 亩
m3 0.001 L l liter liters litre litres 升
m3 1e-6 mL ml milliliter milliliters 毫升
m3 0.003785411784 gallon gallons gal
m3 0.000946352946 quart quarts qt
m3 0.000473176473 pint pints
m3 0.0002365882365 cup cups
g 1 g gram grams 克
g 1000 kg kilogram kilograms 千克 公斤
g 1000000 t tonne tonnes 吨
g 500 斤
g 453.59237 lb lbs pound pounds 磅
g 28.349523125 oz ounce ounces 盎司
s 1 s sec secs second seconds 秒 秒钟
s 60 min mins minute minutes 分 分钟
s 3600 h hr hrs hour hours 时 小时
s 86400 day days 天 日
s 604800 week weeks 周 星期
month 1 month months 月 个月
month 12 year years yr yrs 年
month 120 decade decades
month 1200 century centuries 世纪
USD 1 USD dollar dollars buck bucks 美元
USD 0.01 cent cents ¢ 美分
CNY 1 CNY RMB yuan 元 ¥ 人民币
CNY 0.1 角
CNY 10000 万元
CNY 100000000 亿元
EUR 1 EUR euro euros € 欧元
GBP 1 GBP £ 英镑
INR 1 INR rupee rupees ₹
g.m.s-2 1000 N newton newtons 牛 牛顿
g.m2.s-2 1000 J joule joules 焦 焦耳
g.m2.s-2 3600000000 kWh 千瓦时
g.m2.s-2 4184 cal calorie calories
g.m2.s-2 1.602176634e-16 eV
g.m2.s-3 1000 W watt watts 瓦
g.m-1.s-2 1000 Pa pascal pascals 帕
g.m2.s-3.A-1 1000 V volt volts 伏 伏特
A 1 A ampere amperes amp amps 安 安培
s-1 1 Hz hertz 赫兹
A.s 1 coulomb coulombs 库仑
g-1.m-2.s4.A2 1/1000 farad farads 法拉
g.m2.s-2.A-2 1000 henry henries 亨利
g.s-2.A-1 1000 T tesla teslas 特斯拉
g.m2.s-2.A-1 1000 Wb weber webers 韦伯
g.m-1.s-2 101325000 atm atmosphere atmospheres
g.m-1.s-2 100000000 bar bars
mol 1 mol mole moles 摩尔
K 1 K kelvin kelvins
g.m2.s-3.A-2 1000 ohm ohms Ω 欧姆 欧
degree 1 ° degree degrees deg 度
rad 1 rad radian radians 弧度
celsius 1 celsius
fahrenheit 1 fahrenheit
percent 1 % percent 百分
"""
_PREFIXES = {  # short, long, Chinese: 10 to the power
    ("G", "giga", "吉"): 9, ("M", "mega", "兆"): 6, ("k", "kilo", "千"): 3, ("m", "milli", "毫"): -3,
    ("μ", "micro", "微"): -6, ("n", "nano", "纳"): -9, ("p", "pico", "皮"): -12,
}  # fmt: skip
_SMALL_PREFIXES = {("h", "hecto", "百"): 2, ("d", "deci", "分"): -1, ("c", "centi", "厘"): -2}
_TAKE_SMALL = frozenset(("meter", "liter", "pascal"))
_LONG = 3  # letters from which a word may be a name; below it is a symbol
_NO_UNIT = ("pH", "Ms")
# The unit that takes prefixes, and its short, long and Chinese spellings; C and F alone are also temperatures.
_PREFIXED = """
meter m meter meters metre metres 米
gram g gram grams 克
second s second seconds sec 秒
liter L l liter liters litre litres 升
newton N newton newtons 牛 牛顿
joule J joule joules 焦 焦耳
calorie cal calorie calories
eV eV
watt W watt watts 瓦 瓦特
pascal Pa pascal pascals 帕 帕斯卡
volt V volt volts 伏 伏特
ampere A ampere amperes amp amps 安 安培
ohm Ω ohm ohms 欧 欧姆
hertz Hz hertz 赫兹
mole mol mole moles 摩尔
coulomb C coulomb coulombs 库仑
farad F farad farads 法拉
henry H henry henries 亨利
tesla T tesla teslas 特斯拉
bar bar
"""
_BASE = re.compile(r"([A-Za-z]+)(-?\d*)")


def _bases(product: str) -> Bases:
    return tuple((name, int(exponent or 1)) for name, exponent in _BASE.findall(product))


def _prefixed(known: dict[str, tuple[Bases, Fraction]]) -> dict[str, tuple[Bases, Fraction]]:
    """Every prefix before every unit that takes one, each in its own script."""
    found: dict[str, tuple[Bases, Fraction]] = {}
    for name, *words in map(str.split, _PREFIXED.strip().splitlines()):
        bases, factor = known[name]
        prefixes = _PREFIXES | (_SMALL_PREFIXES if name in _TAKE_SMALL else {})
        found |= {
            spelled: (bases, factor * Fraction(10) ** power)
            for prefix, power in prefixes.items()
            for word in words
            for spelled in _spelled(prefix, word)
        }
    return {word: unit for word, unit in found.items() if word not in _NO_UNIT}


def _spelled(prefix: tuple[str, str, str], word: str) -> list[str]:
    """A unit's word with a prefix before it: symbols before symbols, names before names, Chinese before Chinese."""
    short, long, chinese = prefix
    if word != "Ω" and not word.isascii():
        return [chinese + word]
    return [short + word] * (len(word) <= _LONG) + [long + word] * (len(word) >= _LONG)


KNOWN: dict[str, tuple[Bases, Fraction]] = {}  # word: bases, factor
for _line in _TABLE.strip().splitlines():
    _product, _factor, *_words = _line.split()
    KNOWN |= {word: (_bases(_product), Fraction(_factor)) for word in _words}
KNOWN = _prefixed(KNOWN) | KNOWN  # what the table says itself goes first: ft, min, cd
