"""Words of which two, one in each text, make two problems: what is asked for, how it is reckoned, which way it goes."""

from __future__ import annotations

# Of one line, two words are two problems. Written as stems leaves them (see stemming.stem).
_ENGLISH = """
radius diameter circumference
area perimeter volume surface
length width height depth thickness
sum product difference quotient ratio
add subtract multiply divide
plus minus times
numerator denominator
dividend divisor quotient remainder
maximum minimum max min
large small
great little
largest smallest greatest least biggest lowest highest fewest most shortest longest
more less fewer
increase decrease
ascend descend
rise fall
above below
over under
up down upward downward
left right
north south east west
before after
first last
previous next
begin end
front back
inside outside
top bottom
near far
nearest farthest closest furthest
horizontal vertical
parallel perpendicular
row column diagonal
row circle line
odd even
prime composite
positive negative nonnegative nonpositive
rational irrational
real imaginary complex
convex concave
acute obtuse right
isosceles equilateral scalene
triangle square rectangle pentagon hexagon circle rhombus trapezoid parallelogram
cube sphere cylinder cone pyramid
square cube
older younger
old young
tall short
long short
fast slow
hot cold
heavy light
thick thin
wide narrow
high low
early late
rich poor
husband wife
man woman
boy girl
adult child children kid
brother sister
father mother parent
son daughter
uncle aunt
male female
profit loss
buy sell
gain lose
borrow lend
deposit withdraw
income expense
win lose draw
pass fail
true false
and or
at_least at_most
mean median mode
sine cosine tangent
sin cos tan cot sec csc
log exp
derivative integral
differentiate integrate
converge diverge
sequence series
permutation combination
union intersection
domain range
slope intercept
vertex edge face
vowel consonant
upper lower
uppercase lowercase
prefix suffix
leaf level node root
stack queue
push pop
minute second hour day week month year decade century
morning afternoon evening night
monday tuesday wednesday thursday friday saturday sunday
millimeter centimeter meter kilometer inch foot yard mile
milligram gram kilogram ton ounce pound
milliliter liter gallon quart pint cup
celsius fahrenheit kelvin
penny nickel dime quarter dollar cent euro
red blue green yellow black white orange purple pink brown
boil freeze melt
solid liquid gas
acid base
series parallel
velocity acceleration
mass weight
voltage current resistance charge
force power pressure energy momentum torque
force work
mass volume
give leave
composite complex
side face
mean deviation variance range norm
average deviation variance norm
proper positive improper
pressure temperature volume density
advantage disadvantage
encrypt decrypt
encode decode
import export
cause effect
with without
all none some any
every no
same different
equal unequal
together apart
separate combine
twice thrice half double triple
clockwise counterclockwise anticlockwise
arithmetic geometric harmonic
minimum maximum average
python java javascript
inclusive exclusive
include exclude
ordered unordered
distinct identical
simple compound
singular plural
past present future
""".strip().splitlines()
_CHINESE = """
大 小
多 少
长 短 宽 高
加 减 乘 除
增 减
升 降
上 下
左 右
前 后
东 西 南 北
奇 偶
正 负
内 外
男 女
父 母
兄 弟 姐 妹
儿 女
平行 垂直
半径 直径 周长 面积 体积
和 差 积 商
快 慢
早 晚
买 卖
盈 亏
赚 赔
借 还
进 出
始 末
首 尾
行 列
真 假
甲 乙 丙 丁
质 合
分子 分母
被除数 除数 余数 商
锐 钝 直
等腰 等边
最大 最小
至多 至少
递增 递减
平均数 中位数 众数
顺时针 逆时针
正弦 余弦 正切
收敛 发散
子集 真子集
元 角 分
米 厘米 毫米 千米 分米
克 千克 吨
时 分 秒
天 周 月 年
红 蓝 绿 黄 黑 白
""".strip().splitlines()

CONTRASTS = [frozenset(line.split()) for line in _ENGLISH]
CHINESE_CONTRASTS = [frozenset(line.split()) for line in _CHINESE]
