"""The units with a known size: what each is in base units, exactly, so that units of one dimension can be converted."""

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
m 1e-6 μm micrometer micrometers 微米
m 1e-9 nm nanometer nanometers 纳米
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
g 0.001 mg milligram milligrams 毫克
g 1000000 t tonne tonnes 吨
g 500 斤
g 453.59237 lb lbs pound pounds 磅
g 28.349523125 oz ounce ounces 盎司
s 1 s sec secs second seconds 秒 秒钟
s 60 min mins minute minutes 分 分钟
s 3600 h hr hrs hour hours 时 小时
s 86400 day days 天 日
s 604800 week weeks 周 星期
s 0.001 ms millisecond milliseconds 毫秒
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
g.m.s-2 1000000 kN
g.m2.s-2 1000 J joule joules 焦 焦耳
g.m2.s-2 1000000 kJ kilojoule kilojoules 千焦
g.m2.s-2 3600000000 kWh 千瓦时
g.m2.s-2 4184 cal calorie calories
g.m2.s-2 4184000 kcal kilocalorie kilocalories
g.m2.s-2 1.602176634e-16 eV
g.m2.s-2 1.602176634e-10 MeV
g.m2.s-2 1.602176634e-7 GeV
g.m2.s-3 1000 W watt watts 瓦
g.m2.s-3 1000000 kW kilowatt kilowatts 千瓦
g.m2.s-3 1000000000 MW megawatt megawatts 兆瓦
g.m-1.s-2 1000 Pa pascal pascals 帕
g.m-1.s-2 1000000 kPa 千帕
g.m-1.s-2 1000000000 MPa 兆帕
V 1 V volt volts 伏 伏特
V 1000 kV kilovolt kilovolts 千伏
V 0.001 mV millivolt millivolts 毫伏
A 1 A ampere amperes amp amps 安 安培
A 0.001 mA milliamp milliamps 毫安
Hz 1 Hz hertz 赫兹
Hz 1000 kHz kilohertz
Hz 1000000 MHz megahertz
Hz 1000000000 GHz gigahertz
mol 1 mol mole moles 摩尔
mol 0.001 mmol
K 1 K kelvin kelvins
ohm 1 ohm ohms Ω 欧姆 欧
ohm 1000 kΩ
degree 1 ° degree degrees deg 度
rad 1 rad radian radians 弧度
celsius 1 celsius
fahrenheit 1 fahrenheit
percent 1 % percent 百分
"""
_BASE = re.compile(r"([A-Za-z]+)(-?\d*)")


def _bases(product: str) -> Bases:
    return tuple((name, int(exponent or 1)) for name, exponent in _BASE.findall(product))


KNOWN: dict[str, tuple[Bases, Fraction]] = {}  # word: bases, factor
for _line in _TABLE.strip().splitlines():
    _product, _factor, *_words = _line.split()
    KNOWN |= {word: (_bases(_product), Fraction(_factor)) for word in _words}
