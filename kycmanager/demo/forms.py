"""The questionnaire of the day, and two ways to answer it: with every kind of mistake, and rightly."""

from typing import Any

FORM: dict[str, Any] = {
    "sections": [
        {
            "title": "You",
            "fields": [
                {"name": "full_name", "type": "text", "required": True},
                {"name": "birth_date", "type": "date", "required": True},
                {"name": "country", "type": "country", "required": True},
            ],
        },
        {
            "title": "Your money",
            "fields": [
                {
                    "name": "occupation",
                    "type": "select",
                    "required": True,
                    "options": [{"value": "employed", "label": "Employed"}, {"value": "own", "label": "Own business"}],
                },
                {"name": "income", "type": "number", "required": True},
                {"name": "public_office", "type": "boolean", "required": True},
                {"name": "sources", "type": "multi_select", "options": ["salary", "savings", "inheritance"]},
            ],
        },
    ],
}

FAULTY_ANSWERS: dict[str, Any] = {
    "birth_date": "31.12.1990",
    "country": "Portugal",
    "occupation": "pirate",
    "income": "a lot",
    "public_office": "no",
    "sources": ["salary", "salary"],
    "shoe_size": 38,
}

FAULTS = (
    ("full_name", "required"),
    ("birth_date", "format"),
    ("country", "format"),
    ("occupation", "option"),
    ("income", "type"),
    ("public_office", "type"),
    ("sources", "repeated"),
    ("shoe_size", "unknown"),
)
"""What is wrong with them: the field and the code, in the order of the form."""

ANSWERS: dict[str, Any] = {
    "full_name": "Maria Example",
    "birth_date": "1990-12-31",
    "country": "PT",
    "occupation": "employed",
    "income": 52000,
    "public_office": False,
    "sources": ["salary", "savings"],
}
