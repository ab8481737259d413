"""Language and length of a prompt."""

from __future__ import annotations

import polars as pl
import pytest

from tracemill.text.language import language, tokens, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("How many apples are left?", "en", id="English"),
        pytest.param("Compute $\\frac{3}{4} + \\alpha$.", "en", id="formula with a Greek letter"),
        pytest.param("A die is rolled. If the die shows 3, what is the sum?", "en", id="'die' is an English word too"),
        pytest.param("解方程$12x-3=4$，求$x$的值。", "zh", id="Chinese with a formula"),
        pytest.param("求 $\\frac{\\sqrt{3}}{2}$ 的平方。", "zh", id="LaTeX commands are no words"),
        pytest.param("用Python写一个函数 count_words(text)，返回每个单词出现的次数。", "zh", id="Chinese with code"),
        pytest.param("Translate 你好 into English, please, and say why.", "en", id="English about Chinese"),
        pytest.param("りんごはいくつありますか。全部で何個", "other", id="Japanese has Han characters too"),
        pytest.param("Сколько яблок осталось?", "other", id="Russian"),
        pytest.param("Combien de pommes avons-nous dans le panier?", "other", id="French"),
        pytest.param("Wie viele Äpfel sind in der Kiste, wenn die Hälfte fehlt?", "other", id="German"),
        pytest.param("3 + 4 = ?", "other", id="no letters"),
        pytest.param("", "other", id="empty"),
    ],
)
def test_language(text: str, expected: str) -> None:
    assert pl.select(language(pl.lit(text))).item() == expected


@pytest.mark.parametrize(
    ("text", "expected_words", "expected_tokens"),
    [
        pytest.param("How many apples?", 3, 4, id="words and a mark"),
        pytest.param("don't re-enter 12345", 3, 8, id="apostrophe and hyphen join; digits go by three"),
        pytest.param("苹果有3个", 5, 5, id="a Han character is a word"),
        pytest.param("  \n", 0, 0, id="blank"),
        pytest.param("internationalisation", 1, 4, id="six letters a token"),
    ],
)
def test_lengths(text: str, expected_words: int, expected_tokens: int) -> None:
    assert pl.select(words(pl.lit(text))).item() == expected_words
    assert pl.select(tokens(pl.lit(text))).item() == expected_tokens


FOREIGN = {  # one short problem in each language; English is never the default
    "vi": "Một lớp học có 30 học sinh, trong đó có 12 bạn nữ. Hỏi có bao nhiêu bạn nam?",
    "pl": "Oblicz pole trójkąta o bokach 5, 12 i 13.",
    "tr": "Kenar uzunluğu 6 olan bir karenin alanı nedir?",
    "id": "Sebuah toko menjual 25 buku dengan harga 4000 rupiah. Berapa total pendapatannya?",
    "ms": "Cari semua nombor perdana yang kurang daripada 30.",
    "sv": "Beräkna arean av en cirkel med radien 4.",
    "no": "Finn alle heltall n slik at n deler 12.",
    "da": "Find alle de positive heltal, der er mindre end 20.",
    "fi": "Laske ympyrän pinta-ala, kun säde on 3.",
    "hu": "Határozd meg az összes egész számot, amelyre n osztja 24-et.",
    "cs": "Najděte všechna celá čísla n, pro která je n sudé.",
    "sk": "Koľko jabĺk zostalo Petrovi, ak zjedol tri?",
    "ro": "Găsiți toate numerele întregi care divid pe 36.",
    "nl": "Bereken de oppervlakte van een driehoek met basis 6.",
    "de": "Berechne den Flächeninhalt des Dreiecks mit den Seiten 3, 4 und 5.",
    "fr": "Trouver tous les entiers positifs n qui divisent 48.",
    "es": "Calcula el área de un círculo de radio 3.",
    "pt": "Encontre todos os inteiros positivos que dividem 30.",
    "it": "Trova tutti i numeri primi minori di 50.",
    "ca": "Troba tots els nombres enters que divideixen 24.",
    "tl": "Hanapin ang lahat ng mga numerong buo na mas maliit sa 20.",
    "sw": "Tafuta jumla ya namba zote za kwanza kumi.",
    "hr": "Pronađi sve prirodne brojeve manje od 20 koji su djeljivi s 3.",
    "sl": "Poišči vsa cela števila, ki delijo 18.",
    "lt": "Raskite visus sveikuosius skaičius, mažesnius už 10.",
    "lv": "Atrodi visus pirmskaitļus, kas mazāki par 30.",
    "et": "Leia kõik täisarvud, mis on väiksemad kui 15.",
    "sq": "Gjeni të gjithë numrat e plotë që plotpjesëtojnë 20.",
    "eu": "Aurkitu 20 baino txikiagoak diren zenbaki guztiak.",
    "ga": "Faigh na slánuimhreacha go léir atá níos lú ná 10.",
    "cy": "Darganfyddwch bob rhif cyfan sy'n llai na 10.",
    "is": "Finndu allar heilar tölur sem eru minni en 20.",
    "af": "Vind al die heelgetalle wat kleiner as 20 is.",
    "az": "20-dən kiçik olan bütün tam ədədləri tapın.",
    "uz": "20 dan kichik barcha butun sonlarni toping.",
    "ha": "Nemo dukkan lambobin da suka kasa da ashirin.",
    "yo": "Wa gbogbo àwọn nọ́mbà tí ó kéré ju ogún lọ.",
    "zu": "Thola zonke izinombolo ezingaphansi kuka-20.",
    "so": "Hel dhammaan tirooyinka ka yar labaatan.",
    "eo": "Trovu ĉiujn entjerojn malpli grandajn ol 20.",
    "la": "Inveni omnes numeros integros minores quam viginti.",
    "ru": "Найдите все целые числа, которые делят 24.",
    "uk": "Знайдіть усі цілі числа, менші за 20.",
    "ja": "20より小さい素数をすべて求めなさい。",
    "ko": "20보다 작은 소수를 모두 구하시오.",
    "ar": "أوجد جميع الأعداد الصحيحة الأقل من عشرين.",
    "fa": "همه اعداد صحیح کوچکتر از بیست را پیدا کنید.",
    "he": "מצא את כל המספרים השלמים הקטנים מ-20.",
    "hi": "20 से छोटी सभी अभाज्य संख्याएँ ज्ञात कीजिए।",
    "th": "จงหาจำนวนเฉพาะทั้งหมดที่น้อยกว่า 20",
    "el": "Βρείτε όλους τους ακέραιους μικρότερους του 20.",
}
ENGLISH = (  # short, without words that only English has, or about another language
    "Find all positive integers n such that n divides 2^n.",
    "Compute 12 + 345.",
    "Solve $x^2 = 4$.",
    "Sort an array.",
    "Evaluate $\\int_0^1 x^2 dx$.",
    "Two sum",
    "Reverse a linked list",
    "Prove: $\\sqrt{2}$ is irrational.",
    "Factor $x^2-5x+6$.",
    "Simplify $\\frac{12}{18}$.",
    "Café Müller sells 12 croissants per day. How many in a week?",
    "José has 5 apples; Zoë has 7. Total?",
    "Let $ABC$ be a triangle with circumcenter $O$.",
    "def add(a, b): return the sum",
    "Tower of Hanoi",
    "Rewrite: 'hello world'",
    "Gödel numbers",
    "Maximum subarray",
    'Translate "el gato está en la mesa" into English.',
    'What does "je ne sais quoi" mean?',
    "Name three fruits",
    "Explain Schrödinger's cat",
    "print hello",
    "WHAT IS THE CAPITAL OF PERU",
    "Integrate by parts",
    "Expand (a+b)^3",
    "hi",
    "thanks",
    "Median of two sorted arrays",
    "Is 91 prime?",
)


def test_short_texts_in_other_languages_are_never_called_english() -> None:
    told = pl.DataFrame({"text": list(FOREIGN.values())}).select(language(pl.col("text"))).to_series().to_list()
    assert {code: label for code, label in zip(FOREIGN, told, strict=True) if label != "other"} == {}


BRIEF = (  # two or three words, where n-grams say nothing
    "Merhaba, nedir bu?", "Toplamı bulun.", "Kac kalem kaldi?", "Trouver le reste.", "Combien reste-t-il?",
    "Halla la raíz.", "Bestimme y.",
    "Regn ut svaret.", "Beregn y.", "Laske tulo.", "Calcule a raiz.", "Toping ildizini.", "Tính tổng.",
    "Hitung hasilnya.", "Oblicz resztę.", "Berapa sisanya?", "Lös för y.", "Hoeveel blijft er?", "Hány marad?",
)  # fmt: skip


def test_brief_texts_in_other_languages_are_never_called_english() -> None:
    told = pl.DataFrame({"text": list(BRIEF)}).select(language(pl.col("text"))).to_series().to_list()
    assert [text for text, label in zip(BRIEF, told, strict=True) if label != "other"] == []


def test_short_english_texts_stay_english() -> None:
    told = pl.DataFrame({"text": list(ENGLISH)}).select(language(pl.col("text"))).to_series().to_list()
    assert [text for text, label in zip(ENGLISH, told, strict=True) if label != "en"] == []


def test_a_missing_text_has_no_letters() -> None:
    assert pl.DataFrame({"text": [None, "x"]}).select(language(pl.col("text"))).to_series().to_list()[1] == "en"
