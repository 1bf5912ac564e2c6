"""Words of the demo company: what people write in the form, their names, firms and touches. All made up."""

# Comment = greeting + intent + detail + request, each part may be missing. Russian and English say the same things.
INTENT_TEXTS: dict[str, dict[str, tuple[str, ...]]] = {
    "ru": {
        "urgent": (
            "нужно срочно, до конца недели", "горит, старый подрядчик отключил нас вчера",
            "хотим запуститься в этом месяце", "готовы оплатить счёт на этой неделе",
            "открываем новый офис, нужно уже сейчас",
        ),
        "replace": (
            "не устраивает нынешний поставщик", "хотим уйти от текущего решения, постоянно падает",
            "ищем замену зарубежному сервису", "меняем систему, старую больше не поддерживают",
        ),
        "compare": (
            "сравниваем трёх поставщиков", "собираем коммерческие предложения",
            "проводим тендер, пришлите условия", "смотрим вас и ещё двоих",
        ),
        "price": (
            "сколько стоит?", "пришлите прайс", "интересует цена за рабочее место",
            "цена с внедрением и без", "есть ли скидка",
        ),
        "later": (
            "планируем на следующий квартал", "пока присматриваемся, решать будем весной",
            "договор с нынешними заканчивается не скоро, но интересно", "вернёмся к вопросу после нового бюджета",
        ),
        "material": (
            "пришлите материал", "хочу посмотреть чек-лист", "интересно почитать для себя",
            "для общего развития", "пишу статью, нужны примеры",
        ),
    },
    "en": {
        "urgent": (
            "we need it this week", "our vendor has switched us off yesterday", "want to go live this month",
            "ready to sign, please call today", "opening a new office, need it now",
        ),
        "replace": (
            "unhappy with our current supplier", "moving off our old system, it keeps failing",
            "looking to replace what we have", "current tool is being discontinued",
        ),
        "compare": (
            "comparing three vendors", "collecting quotes", "running a tender, send your terms",
            "shortlisting you and two others",
        ),
        "price": ("how much is it?", "please send a price list", "price per seat?", "cost with and without setup"),
        "later": (
            "planning it for next quarter", "just looking around, decision in spring",
            "our contract still runs for a while", "will come back after the new budget",
        ),
        "material": (
            "send me the checklist", "would like to read the material", "just for my own education",
            "writing an article, need examples",
        ),
    },
}  # fmt: skip
GREETINGS = {
    "ru": ("", "", "Здравствуйте!", "Добрый день.", "Приветствую,", "Добрый вечер!", "Коллеги,"),
    "en": ("", "", "Hello,", "Hi there,", "Good morning.", "Dear team,"),
}
DETAILS = {
    "ru": (
        "", "", "{seats} человек в отделе", "на {seats} сотрудников", "{product}, {seats} мест",
        "нас {seats}, город {city}", "интересует {product}", "два филиала, {city}", "работаем с 1С",
        "есть интеграция с 1С?", "офис в городе {city}",
    ),
    "en": (
        "", "", "{seats} people in the team", "for {seats} users", "{product}, {seats} seats", "we are in {city}",
        "interested in {product}", "two offices", "do you integrate with our ERP?",
    ),
}  # fmt: skip
REQUESTS = {
    "ru": ("", "", "перезвоните", "звоните после обеда", "лучше на почту", "напишите в телеграм", "жду ответа", "спс"),
    "en": ("", "", "please call", "call me after lunch", "email is better", "waiting for your answer", "thanks"),
}
PRODUCTS_ENGLISH = {
    "Облачная телефония": "cloud telephony", "CRM": "CRM", "Контакт-центр": "contact centre",
    "Кибербезопасность": "cyber security", "ИТ-аутсорсинг": "IT outsourcing", "Облачный хостинг": "cloud hosting",
}  # fmt: skip

HEARD_FROM = {
    "ru": ("", "", "реклама", "посоветовали", "от партнёра", "нашли в поиске", "были на вебинаре", "статья на хабре",
           "коллега", "выставка", "не помню", "telegram", "видели раньше"),
    "en": ("", "", "an ad", "a colleague", "google", "webinar", "linkedin post", "don't remember"),
}  # fmt: skip
BUDGETS = {  # how a sum is written: {k} in thousands, {full} in roubles
    "ru": ("{full}", "{full_spaced} руб.", "до {k} тыс", "{k}к", "~{k} т.р.", "{millions} млн", "{full_spaced} ₽"),
    "en": ("{full}", "up to {k}k rub", "{k}k", "about {full_spaced}"),
}
NO_BUDGET = ("не знаю", "обсуждаемо", "0", "уточню", "нет")

FIRST_NAMES = {
    "ru": ("Александр", "Алексей", "Анастасия", "Андрей", "Булат", "Виктор", "Галина", "Дмитрий", "Евгения", "Елена",
           "Зарина", "Игорь", "Ирина", "Кирилл", "Лариса", "Максим", "Мария", "Наталья", "Олег", "Пётр", "Рамиль",
           "Светлана", "Татьяна", "Фёдор", "Юлия", "Ярослав"),
    "en": ("Adam", "Aisha", "Ben", "Carla", "Daniel", "Emma", "Farid", "Grace", "Henry", "Ines", "James", "Kate",
           "Liam", "Maya", "Noah", "Olivia", "Priya", "Ryan", "Sara", "Tom"),
}  # fmt: skip
LAST_NAMES = {
    "ru": ("Абрамович", "Бондаренко", "Власенко", "Гайдук", "Дорошенко", "Ермоленко", "Журавель", "Зинченко", "Ивлиев",
           "Коваль", "Литвин", "Мороз", "Науменко", "Остапчук", "Панасюк", "Романюк", "Савич", "Ткач", "Усик",
           "Франчук", "Хомич", "Цыбуля", "Черных", "Шульга", "Щербак", "Юрьевич", "Ясько"),
    "en": ("Adler", "Brook", "Carter", "Doyle", "Evans", "Fisher", "Grant", "Hughes", "Ivers", "Jensen", "Khan",
           "Lowe", "Mills", "Novak", "Owens", "Patel", "Quinn", "Reyes", "Stone", "Turner", "Webb", "Young"),
}  # fmt: skip
# `.example` is kept free for examples (RFC 2606): no letter can ever reach anybody.
MAIL_HOSTS = ("firma.example", "zavod.example", "torg-dom.example", "mail.example", "office.example", "group.example")
TOUCHES = ("letter", "page", "pricing_page", "webinar", "material")

# Numbers that ring nowhere: 935 and 948 were given to no Russian operator that we know of; 555-01xx is kept for films.
RUSSIAN_CODES = ("935", "948")
AMERICAN_AREAS = (201, 212, 303, 312, 404, 415, 512, 617, 702, 808, 914, 971)
RUSSIAN_SPELLINGS = (
    "+7{c}{a}{b}{d}", "8{c}{a}{b}{d}", "+7 ({c}) {a}-{b}-{d}", "8 ({c}) {a}-{b}-{d}", "8-{c}-{a}-{b}-{d}",
    "7{c}{a}{b}{d}", "+7 {c} {a} {b} {d}", "{c}{a}{b}{d}", "тел. 8 {c} {a} {b} {d}",
)  # fmt: skip
BROKEN_PHONES = ("+7 000 000 00 00", "123", "8935", "нет телефона", "+7 (999) 99", "1111111111")
