"""Headers and words as amoCRM, Bitrix24, HubSpot, Salesforce and people's own tables write them; small letters."""

# Our field ← headers, the surest first; a tail such as "сделки" or ", руб" does not count.
HEADERS: dict[str, list[str]] = {
    "lead_id": [
        *("id", "ид", "lead id", "deal id", "record id", "contact id", "prospect id", "opportunity id", "case id"),
        *("id лида", "id сделки", "id заявки", "номер лида", "номер сделки", "номер заявки", "№ заявки", "№ сделки"),
        *("идентификатор", "код", "№", "номер", "lead_id", "deal_id", "номер обращения", "id контакта"),
    ],
    "created_at": [
        *("дата создания", "создан", "создано", "создана", "дата заявки", "дата обращения", "дата поступления"),
        *("created", "created at", "created date", "create date", "date created", "created_at", "createdate"),
        *(
            "дата и время создания",
            "дата лида",
            "дата регистрации",
            "creation date",
            "created time",
            "timestamp",
            "дата",
        ),
    ],
    "source": [
        *("источник", "источник лида", "источник заявки", "источник сделки", "источник обращения", "откуда узнали"),
        *("lead source", "source", "original source", "original traffic source", "lead_source", "рекламный источник"),
    ],
    "channel": ["канал", "channel", "lead origin", "канал привлечения", "тип обращения", "способ обращения"],
    "utm_source": ["utm_source", "utm source", "источник (utm)"],
    "utm_medium": ["utm_medium", "utm medium", "канал (utm)"],
    "utm_campaign": ["utm_campaign", "utm campaign", "кампания (utm)"],
    "utm_content": ["utm_content", "utm content"],
    "utm_term": ["utm_term", "utm term", "ключевое слово"],
    "campaign": ["кампания", "рекламная кампания", "campaign", "campaign name", "most recent campaign"],
    "landing_page": [
        *("посадочная страница", "страница входа", "лендинг", "landing page", "first page seen", "адрес страницы"),
        *("landing_page", "страница", "page url"),
    ],
    "offer": ["предложение", "лид-магнит", "оффер", "offer", "lead magnet", "форма заявки"],
    "product": ["продукт", "товар", "товары", "услуга", "курс", "product", "product name", "product interest"],
    "region": [
        "регион",
        "город",
        "область",
        "region",
        "city",
        "state/region",
        "state/province",
        "state",
        "страна",
        "country",
    ],
    "industry": ["отрасль", "сфера деятельности", "сфера", "industry", "вид деятельности"],
    "company_size": [
        *("количество сотрудников", "кол-во сотрудников", "число сотрудников", "размер компании", "company size"),
        *("number of employees", "employees", "no. of employees", "company_size"),
    ],
    "budget": ["бюджет клиента", "budget", "ожидаемый бюджет"],
    "role": ["должность", "job title", "title", "role", "position", "роль"],
    "comment": [
        "сообщение",
        "текст заявки",
        "запрос",
        "message",
        "комментарий клиента",
        "вопрос",
        "inquiry",
        "комментарий",
    ],
    "phone": [
        *("телефон", "мобильный телефон", "рабочий телефон", "phone", "phone number", "mobile phone", "mobile"),
        *("телефон контакта", "рабочий телефон (контакт)", "контактный телефон"),
    ],
    "email": ["email", "e-mail", "почта", "эл. почта", "электронная почта", "рабочий email", "email (контакт)"],
    "contact_name": [
        *("имя", "фио", "контакт", "основной контакт", "полное имя", "имя контакта", "клиент", "contact name"),
        *("full name", "first name", "associated contact", "контактное лицо"),
    ],
    "manager": [
        *("ответственный", "ответственный менеджер", "менеджер", "lead owner", "contact owner", "deal owner"),
        *("opportunity owner", "owner", "assigned to", "sales rep", "продавец"),
    ],
}

SPEND_HEADERS: dict[str, list[str]] = {
    "day": ["дата", "день", "date", "day", "reporting starts"],
    "source": ["источник", "источник / канал", "source", "площадка", "система", "utm_source", "платформа", "platform"],
    "campaign": ["кампания", "название кампании", "campaign", "campaign name", "utm_campaign", "рекламная кампания"],
    "amount": [
        *("расход", "расходы", "затраты", "потрачено", "cost", "spend", "amount spent", "стоимость", "spent"),
        *("amount", "сумма"),
    ],
    "visits": ["визиты", "посещения", "сеансы", "visits", "sessions"],
    "clicks": ["клики", "clicks", "переходы"],
}
SPEND_SIGNS = {"расход", "расходы", "затраты", "потрачено", "cost", "spend", "amount spent", "spent"}

OUTCOME_HEADERS = [
    *(
        "статус",
        "статус сделки",
        "статус лида",
        "этап",
        "этап сделки",
        "стадия",
        "стадия сделки",
        "стадия лида",
        "результат",
    ),
    *("lead status", "deal stage", "stage", "status", "lifecycle stage", "opportunity stage", "outcome", "result"),
    *("converted", "is won", "won", "is converted", "closed won", "conversion", "target", "y", "visit"),
    *("выиграна", "купил", "продажа", "сделка успешна", "оплачено", "оплата", "успешна", "конверсия", "договор"),
]
WON_WORDS = {
    *(
        "успешно реализовано",
        "сделка успешна",
        "качественный лид",
        "закрыто успешно",
        "выиграна",
        "выиграно",
        "оплачено",
    ),
    *("продажа", "купил", "успех", "успешно", "договор заключен", "сделка заключена", "closed won", "closedwon", "won"),
    *("converted", "closed - converted", "customer", "sold", "success"),
}
LOST_WORDS = {
    *(
        "закрыто и не реализовано",
        "сделка провалена",
        "сделка проиграна",
        "некачественный лид",
        "проиграна",
        "проиграно",
    ),
    *(
        "отказ",
        "потерян",
        "потеряна",
        "провал",
        "не реализовано",
        "спам",
        "анализ причины провала",
        "закрыто неуспешно",
    ),
    *(
        "closed lost",
        "closedlost",
        "lost",
        "unqualified",
        "closed - not converted",
        "disqualified",
        "dead",
        "bad timing",
    ),
}

AMOUNT_HEADERS = [
    *(
        "бюджет",
        "бюджет сделки",
        "сумма",
        "сумма сделки",
        "цена",
        "стоимость",
        "выручка",
        "amount",
        "deal amount",
        "revenue",
    ),
    *("price", "opportunity amount", "expected revenue"),
]
CLOSED_AT_HEADERS = [
    "дата закрытия",
    "дата закрытия сделки",
    "close date",
    "closed date",
    "дата завершения",
    "closed at",
]
NOTE_HEADERS = {
    "text": [
        *(
            "комментарий к отказу",
            "комментарий менеджера",
            "комментарий о причине",
            "примечание",
            "примечание к отказу",
        ),
        *("closed lost notes", "loss notes", "заметка", "заметки", "примечания", "комментарий при закрытии"),
    ],
    "crm_reason": [
        *("причина отказа", "причина закрытия", "причина потери", "причина провала", "причина проигрыша"),
        *("closed lost reason", "loss reason", "lost reason", "reason lost", "disqualification reason"),
    ],
}
EVENT_HEADERS = {  # date columns; a stage event is written as "stage <stage>"
    "meeting": ["дата встречи", "meeting date", "встреча проведена", "дата показа"],
    "proposal": ["дата кп", "дата предложения", "кп отправлено", "proposal date", "дата отправки кп"],
    "stage qualified": ["дата квалификации", "qualified date", "квалифицирован", "дата квалификации лида"],
}

# Columns that a CRM fills or rewrites after the lead came, by name alone: safer left out until somebody says otherwise.
LATER_HEADERS = [
    *(
        "дата изменения",
        "дата редактирования",
        "кем редактирована",
        "изменен",
        "изменено",
        "дата последнего изменения",
        "кем изменен",
        "кем изменена",
        "теги",
        "тег",
    ),
    *("последняя активность", "дата последней активности", "ближайшая задача", "теги сделки", "кем закрыта"),
    *(
        "last modified date",
        "last modified",
        "last activity",
        "last activity date",
        "last contacted",
        "modified",
        "tags",
    ),
    *(
        "last modified by",
        "next activity date",
        "date closed",
        "days to close",
        "number of sales activities",
        "lead score",
    ),
    *("modified by", "updated at", "last updated", "next step", "probability", "вероятность", "recent conversion date"),
]
