"""Which language a text is in: by script, then by its commonest words; None rather than a guess."""

from __future__ import annotations

import pytest

from tracemill.text.languages import speaks

TEXTS = {
    "en": "The ball is on the table and it will stay there.",
    "de": "Der Ball liegt auf dem Tisch und er bleibt auch da.",
    "fr": "La balle est sur la table et elle ne va pas dans le jardin.",
    "pt": "A bola está em cima da mesa e não vai para o jardim com você.",
    "es": "La pelota está en la mesa y no va para el jardín con los niños.",
    "ru": "Мяч лежит на столе, и он не упадёт, потому что это был его стол.",
    "bg": "Топката е на масата и няма да падне от нея, това е сигурно при нас.",
    "hi": "गेंद मेज पर है और यह नहीं गिरेगी।",
    "mr": "चेंडू टेबलावर आहे आणि तो पडणार नाही.",
    "ar": "الكرة على الطاولة ولن تسقط من هذا المكان في الليل",
    "ur": "گیند میز پر ہے اور یہ نہیں گرے گی",
    "zh": "球在桌子上,不会掉下来。",
    "ja": "ボールは机の上にあります。",
    "ko": "공은 탁자 위에 있습니다.",
    "th": "ลูกบอลอยู่บนโต๊ะ",
    "ta": "பந்து மேசையில் உள்ளது",
}


@pytest.mark.parametrize("language", TEXTS)
def test_a_text_speaks_its_language_and_no_other(language: str) -> None:
    assert {other for other in TEXTS if speaks(TEXTS[language], other)} == {language}


@pytest.mark.parametrize(
    ("text", "language", "answer"),
    [
        ("", "en", None),
        ("123 + 456", "en", None),
        ("GREEN WHISPERS", "en", None),
        ("Die Antwort ist 5", "xx", None),
        ("The answer is 5", "ko", False),
        ("答案是四十二,因为 the answer is", "zh", None),
        ("Das Wort 球 steht auf dem Tisch und das ist gut", "de", True),
    ],
    ids=[
        "empty",
        "no_letters",
        "no_function_words",
        "unknown_language",
        "other_script",
        "half_and_half",
        "a_quotation",
    ],
)
def test_what_cannot_be_told_is_none(text: str, language: str, answer: bool | None) -> None:
    assert speaks(text, language) is answer
