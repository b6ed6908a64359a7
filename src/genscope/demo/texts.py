"""The words of the demo: what customers of an outdoor shop ask, what its handbook says and what its agent answers.

Names in braces are filled in by `genscope.demo.scenario`, the same way throughout one conversation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What a customer says next, and the answer to it."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A reason for which customers write, with all that is said about it."""

    name: str
    openings: tuple[str, ...]
    #: Title and text of the pages of the handbook that a search finds.
    documents: tuple[tuple[str, str], ...]
    tool: str
    arguments: dict[str, str]
    results: tuple[dict[str, str], ...]
    answers: tuple[str, ...]
    follow_ups: tuple[FollowUp, ...]


SYSTEM_PROMPT: Final = """\
You are the support agent of Larkspur Outdoor, a mail-order shop for hiking and camping gear.
Answer in the language of the customer, in at most six sentences, warmly and without marketing.
Use the handbook pages given to you and the results of your tools; never promise a date, a refund or a discount that
neither of them names. If an order number is missing, ask for it once. If the customer is angry, acknowledge it in one
sentence and then solve the problem. Hand over to a colleague when a customer asks for one, mentions a lawyer or an
injury, or when a refund exceeds 250 euros. Sign as "Your Larkspur team"."""

CLASSIFIER_PROMPT: Final = """\
Sort the customer's message into one intent and one urgency. Intents: {intents}. Urgency: low, normal, high.
Answer with a JSON object and nothing else."""

REVIEW_PROMPT: Final = """\
You check drafts before they are sent. Does the draft promise a date, a refund or a discount that the sources do not
name? Answer PASS, or BLOCK with the sentence that has to go."""

CUSTOMERS: Final = (
    "amelie.dubois", "ben.okafor", "carla.jimenez", "daniel.weber", "elif.yildiz", "frank.moser", "grace.lindqvist",
    "hana.novak", "ivan.petrov", "julia.brandt", "kenji.mori", "laura.rossi", "marek.nowak", "nina.hoffmann",
    "oscar.lund", "priya.nair", "quentin.leroy", "rosa.almeida", "samir.haddad", "tessa.devries", "ulrich.bauer",
    "vera.kovacs", "william.byrne", "xenia.papas", "yusuf.demir", "zoe.martin",
)  # fmt: skip
PRODUCTS: Final = (
    "Fjell 2 tent", "Ridgeline 45 backpack", "Tarn hiking boots", "Moraine down jacket", "Kestrel trekking poles",
    "Brook 0.8 l stove set", "Cairn headlamp", "Lichen sleeping pad", "Scree rain trousers", "Alder merino shirt",
)  # fmt: skip
CITIES: Final = ("Freiburg", "Lyon", "Utrecht", "Graz", "Bergen", "Bologna", "Kraków", "Aarhus", "Porto", "Zürich")
CARRIERS: Final = ("DHL", "DPD", "GLS", "PostNL", "La Poste")
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
SIZES: Final = ("38", "40", "42", "44", "S", "M", "L", "XL")

#: What customers also say, whatever they wrote for.
GENERAL_FOLLOW_UPS: Final = (
    FollowUp(
        "Do you have a shop in {city} where I could have a look at it?",
        "Not yet. Our only shop is in Freiburg, but you can order two sizes and send one back free of charge.",
    ),
    FollowUp(
        "Could you send me all of this by mail as well?",
        "I just sent you a summary. If it is not there in five minutes, please look into your spam folder.",
    ),
    FollowUp("Thanks, that helps a lot.", "You are welcome. Write whenever there is more. Your Larkspur team"),
    FollowUp(
        "Are you a person or a machine?",
        "I am an assistant made of software. If you would rather talk to a person, say so and a colleague takes over.",
    ),
)

TOPICS: Final = (
    Topic(
        name="delivery",
        openings=(
            "Hi, my order {order} was supposed to arrive on {weekday} and the tracking page has not moved since. "
            "Where is my {product}?",
            "Where is order {order}? {carrier} says 'in transit' for four days now and we leave for the mountains on "
            "{weekday}.",
            "Hello, could you check on {order} please. The parcel went to a depot in {city} and has not moved since.",
        ),
        documents=(
            (
                "Delivery times",
                "Orders placed before 14:00 leave the warehouse the same working day. Within the EU parcels take two "
                "to four working days, to Norway and Switzerland four to seven. A parcel without a scan for five "
                "working days counts as lost: open an inquiry with the carrier and offer a replacement or a refund.",
            ),
            (
                "When a customer is about to travel",
                "If the customer names a travel date, offer to send the same article by express at our cost, provided "
                "it is in stock. The first parcel is returned by refusing it at the door.",
            ),
        ),
        tool="track_parcel",
        arguments={"order": "{order}", "carrier": "{carrier}"},
        results=(
            {"state": "in_transit", "last_scan": "{city}, sorting centre", "expected": "{weekday}", "parcels": "1"},
            {"state": "at_depot", "last_scan": "{city}, delivery depot", "expected": "{weekday}", "parcels": "1"},
            {"state": "delayed", "last_scan": "{city}", "reason": "address label unreadable", "expected": "{weekday}"},
        ),
        answers=(
            "Thank you for your patience. I asked {carrier}: your {product} was last scanned in {city} and is expected "
            "on {weekday}. Should it not be there by then, write back and we will send another one by express.",
            "I am sorry for the wait. The parcel of order {order} is in {city}; the carrier names {weekday} for the "
            "delivery. Nothing is lost, and you do not need to do anything.",
        ),
        follow_ups=(
            FollowUp(
                "That is too late, we are gone by then. Can you send it to a shop near us instead?",
                "Yes. {carrier} can redirect it to a parcel shop in {city} until the evening before; I sent you the "
                "link by mail. It stays there for seven days.",
            ),
            FollowUp(
                "OK. And who pays if it is damaged?",
                "We do. Please take a photo of the box before you open it, and we replace the {product} at no cost.",
            ),
            FollowUp("It just arrived, thank you!", "Wonderful, enjoy the {product}. Have a good trip!"),
        ),
    ),
    Topic(
        name="return",
        openings=(
            "The {product} from order {order} is too small for me. How do I send it back and get size {size}?",
            "I'd like to return the {product}. I bought it three weeks ago and used it once, on one short walk.",
            "Can I still return order {order}? I threw away the original box.",
        ),
        documents=(
            (
                "Returns",
                "Customers may return unused articles within 60 days, with or without the original box. Signs of a "
                "short try-on outdoors are accepted; dirt, smell or cut labels are not. Labels are free within the EU.",
            ),
            (
                "Exchanges",
                "An exchange is a return plus a new order. Reserve the new size first: stock of boots and jackets runs "
                "low in autumn. The price of the first order is kept.",
            ),
        ),
        tool="create_return",
        arguments={"order": "{order}", "article": "{product}", "reason": "does not fit"},
        results=(
            {"return": "R-{code}", "label": "sent by mail", "valid_until": "60 days", "refund": "{amount} EUR"},
            {"return": "R-{code}", "label": "sent by mail", "exchange": "size {size} reserved for 7 days"},
        ),
        answers=(
            "No problem. I opened return R-{code} for order {order}, and the label is in your inbox. Put the {product} "
            "in any sturdy box; the {amount} euros go back to your payment method within five days of its arrival.",
            "Of course you can. Size {size} is in stock and I reserved it for you for seven days, at the price you "
            "paid. Your label for the return R-{code} is on its way by mail.",
        ),
        follow_ups=(
            FollowUp(
                "Do I have to print the label?",
                "No. Show the code in the mail at any {carrier} shop, and they print it for you.",
            ),
            FollowUp(
                "Is the smaller one cut the same way? My feet are rather wide.",
                "The {product} is cut the same in every size. With wide feet most customers are happier one half size "
                "up, so {size} should suit you.",
            ),
            FollowUp(
                "When will I see the money?",
                "Within five days of the arrival in our warehouse; card payments may take two days more at your bank.",
            ),
        ),
    ),
    Topic(
        name="warranty",
        openings=(
            "The zip of my {product} broke after two trips. This is really disappointing for {amount} euros.",
            "After 14 months the sole of my {product} comes off at the heel. Is that covered?",
            "One of the poles of the {product} snapped at the second joint. Nobody fell on it, it was just windy.",
        ),
        documents=(
            (
                "Warranty",
                "Larkspur articles carry a warranty of three years on material and workmanship. Wear of soles, cuts "
                "and burns are not covered, but repaired at cost. Repair goes before replacement: zips, buckles, poles "
                "and seams are repaired in our workshop within ten working days.",
            ),
            (
                "Spare parts",
                "Poles, pegs, buckles and zip sliders are sent free of charge within the warranty. A photo of the "
                "damage is enough; the article does not have to be sent in.",
            ),
        ),
        tool="open_warranty_case",
        arguments={"article": "{product}", "order": "{order}", "damage": "reported by mail"},
        results=(
            {"case": "W-{code}", "covered": "yes", "next_step": "photo of the damage", "repair_days": "10"},
            {"case": "W-{code}", "covered": "yes", "next_step": "spare part is sent", "repair_days": "0"},
        ),
        answers=(
            "That should not happen, and I am sorry that it did. I opened case W-{code}. Please answer this mail with "
            "a photo of the damage; our workshop repairs it within ten working days, at no cost to you.",
            "Thank you for telling us. This is covered: the spare part for your {product} leaves the warehouse on "
            "{weekday}, together with a short guide. The case number is W-{code}.",
        ),
        follow_ups=(
            FollowUp(
                "Photo attached. I need it again before the end of the month though.",
                "Thank you, that is clear. The workshop put you first in the queue and ships it back on {weekday} at "
                "the latest.",
            ),
            FollowUp(
                "Could I have a new one instead of a repair?",
                "Our warranty puts repair first, and a repaired zip is as strong as a new one. If the repair fails, "
                "you get a new {product}, that I can promise.",
            ),
        ),
    ),
    Topic(
        name="product advice",
        openings=(
            "I'm going to hike from hut to hut for eight days in September. Is the {product} warm enough and not too "
            "heavy?",
            "What is the difference between the {product} and the one from last year? The page does not say.",
            "Is the {product} suitable for someone of 1.96 m? And do you have it in {size}?",
        ),
        documents=(
            (
                "Choosing by season",
                "Down jackets and sleeping bags are rated by comfort temperature, measured after EN ISO 23537. For "
                "huts in September a comfort of 8 degrees is enough; for tents above 2,000 m take 0 degrees or lower.",
            ),
            (
                "What is new this year",
                "Tents and backpacks have a fluorine-free coating since spring. The Fjell 2 is 180 g lighter, the "
                "Ridgeline has a longer back for tall people, and all headlamps charge by USB-C.",
            ),
        ),
        tool="check_stock",
        arguments={"article": "{product}", "size": "{size}"},
        results=(
            {"article": "{product}", "size": "{size}", "pieces": "14", "warehouse": "{city}"},
            {"article": "{product}", "size": "{size}", "pieces": "2", "more_on": "{weekday}"},
            {"article": "{product}", "size": "{size}", "pieces": "0", "more_on": "{weekday}"},
        ),
        answers=(
            "For a hut tour in September the {product} is a good choice: warm enough for the evenings, and light "
            "enough to forget it in the backpack. It is in stock in {size}, and you may return it within 60 days.",
            "This year's {product} has a coating without fluorine and is a little lighter; the cut is the same. If you "
            "are happy with last year's, there is no need to change.",
        ),
        follow_ups=(
            FollowUp(
                "And if it rains all day?",
                "Then you want a rain layer above it. The {product} dries quickly, but it is not made for eight hours "
                "of rain on its own.",
            ),
            FollowUp(
                "Great. How quickly would it be in {city}?",
                "Ordered before 14:00 it leaves the same day and takes two to four working days to {city}.",
            ),
            FollowUp(
                "Do you give a discount for groups? We are nine people.",
                "From eight pieces on, our team for groups makes an offer. I passed your question on; they answer "
                "within one working day.",
            ),
        ),
    ),
    Topic(
        name="address change",
        openings=(
            "Guten Tag, ich bin umgezogen. Kann die Bestellung {order} noch an meine neue Adresse in {city} gehen?",
            "I typed the wrong house number for order {order}. Can you still correct it? It is 27, not 72.",
            "Bonjour, je ne serai pas chez moi {weekday}. Peut-on livrer la commande {order} à mon bureau à {city} ?",
        ),
        documents=(
            (
                "Changing an order",
                "Address, size and colour can be changed until the parcel is packed, usually two hours after the "
                "order. Later only the carrier can redirect the parcel, within the same country.",
            ),
        ),
        tool="change_address",
        arguments={"order": "{order}", "city": "{city}"},
        results=(
            {"order": "{order}", "changed": "yes", "leaves_on": "{weekday}"},
            {"order": "{order}", "changed": "no", "reason": "already packed", "carrier": "{carrier}"},
        ),
        answers=(
            "Done: order {order} now goes to your new address in {city}. You will get a new confirmation in a minute; "
            "please check it once more. Your Larkspur team",
            "Order {order} is packed already, so I cannot change it any more. {carrier} can redirect the parcel within "
            "the country; I sent you the link by mail. Your Larkspur team",
        ),
        follow_ups=(
            FollowUp(
                "Perfect, and please save this address for next time.",
                "It is saved as your first address. You find all of them under 'My account'.",
            ),
            FollowUp(
                "Vielen Dank! Kommt das Paket trotzdem noch diese Woche?",
                "Ja, daran ändert sich nichts: {carrier} nennt {weekday} als Tag der Zustellung.",
            ),
        ),
    ),
    Topic(
        name="refund",
        openings=(
            "I sent the {product} back twelve days ago and still don't have my {amount} euros. What is going on?",
            "You charged me {amount} euros twice for order {order}. Please fix this today.",
            "The voucher I got for my birthday was not taken off order {order}. It was {amount} euros.",
        ),
        documents=(
            (
                "Refunds",
                "Refunds are paid within five days of the arrival of a return. A second charge is usually a "
                "reservation that the bank lifts within three days; refund it only if it was captured. Amounts above "
                "250 euros need a colleague.",
            ),
            (
                "Vouchers",
                "A voucher can be applied up to 14 days after the order: refund its value and mark it as used. "
                "Vouchers are valid for three years.",
            ),
        ),
        tool="issue_refund",
        arguments={"order": "{order}", "amount": "{amount}", "currency": "EUR"},
        results=(
            {"refund": "F-{code}", "amount": "{amount} EUR", "state": "sent to the bank"},
            {"refund": "F-{code}", "amount": "{amount} EUR", "state": "with the bank", "expected": "{weekday}"},
        ),
        answers=(
            "You are right to ask, this took too long. I have just sent the {amount} euros to your bank (F-{code}); "
            "you should see them by {weekday}.",
            "I looked into the payments of {order}: the {amount} euros are already with your bank, which books them by "
            "{weekday} (F-{code}). You do not need to do anything.",
        ),
        follow_ups=(
            FollowUp(
                "My bank says they know nothing of it.",
                "Then please give them the reference F-{code}; with it they find the payment. If they do not, I hand "
                "this to a colleague who calls you.",
            ),
            FollowUp("I want to talk to a person now.", "Of course. A colleague calls you back within the next hour."),
            FollowUp("Thanks, it is there.", "Good to hear. Thank you for letting us know!"),
        ),
    ),
    Topic(
        name="order change",
        openings=(
            "Can I add a pair of {product} to order {order} without paying for shipping again?",
            "Please cancel order {order}, I found the same thing in a shop in {city}.",
            "I ordered two of the {product} by mistake, order {order}. One is enough!",
        ),
        documents=(
            (
                "Changing an order",
                "Until a parcel is packed, articles can be added or taken out, and the whole order can be cancelled. "
                "The shipping is charged once per parcel. After that, cancel by refusing the parcel at the door.",
            ),
        ),
        tool="look_up_order",
        arguments={"order": "{order}"},
        results=(
            {"order": "{order}", "state": "paid", "packed": "no", "articles": "2 x {product}", "total": "{amount} EUR"},
            {"order": "{order}", "state": "packed", "articles": "1 x {product}", "carrier": "{carrier}"},
        ),
        answers=(
            "That worked: I changed order {order}, and the difference goes back to you by {weekday}. A new "
            "confirmation is on its way.",
            "Order {order} is packed already, so I cannot change it any more. Simply refuse the parcel when {carrier} "
            "rings, and we refund the {amount} euros as soon as it is back.",
        ),
        follow_ups=(
            FollowUp(
                "And if a neighbour takes it?",
                "Then use the free label that I just sent you. You have 60 days for it.",
            ),
            FollowUp(
                "All right. One more thing: could you use less packaging?",
                "We are on it: since spring all our boxes are made of grass paper. I told the warehouse of your wish.",
            ),
        ),
    ),
)

#: What customers write beside their thumb.
PRAISE: Final = (
    "Quick and to the point, thank you!",
    "Solved in one message.",
    "Friendlier than the hotline.",
    "Exactly what I needed to know.",
)
COMPLAINTS: Final = (
    "That did not answer my question.",
    "I had told you the order number already.",
    "Still no date for my parcel.",
    "Too many words, no solution.",
)
