"""Korean and English forms that are known to be right: particles, irregular classes, speech levels."""

import pytest

from glassformer.data.samples.conjugate import Stem, attach, honor, past
from glassformer.data.samples.endings import CASUAL, FORMAL, POLITE, final, predicate
from glassformer.data.samples.english import article, comparative, forms, plural, verb_group
from glassformer.data.samples.hangul import join, particle, split, with_tail
from glassformer.data.samples.lexicon import stem

ENDINGS = ("아요", "고", "으면", "습니다", "으세요", "으ㄹ", "으ㄴ", "는")

# lemma/class: 해요체, -고, -(으)면, 합니다체, -(으)세요, -(으)ㄹ, -(으)ㄴ, -는; then past casual
FORMS = """
먹다        먹어요    먹고      먹으면    먹습니다    먹으세요    먹을    먹은    먹는      먹었어
읽다        읽어요    읽고      읽으면    읽습니다    읽으세요    읽을    읽은    읽는      읽었어
앉다        앉아요    앉고      앉으면    앉습니다    앉으세요    앉을    앉은    앉는      앉았어
가다        가요      가고      가면      갑니다      가세요      갈      간      가는      갔어
사다        사요      사고      사면      삽니다      사세요      살      산      사는      샀어
서다        서요      서고      서면      섭니다      서세요      설      선      서는      섰어
보내다      보내요    보내고    보내면    보냅니다    보내세요    보낼    보낸    보내는    보냈어
켜다        켜요      켜고      켜면      켭니다      켜세요      켤      켠      켜는      켰어
오다        와요      오고      오면      옵니다      오세요      올      온      오는      왔어
보다        봐요      보고      보면      봅니다      보세요      볼      본      보는      봤어
배우다      배워요    배우고    배우면    배웁니다    배우세요    배울    배운    배우는    배웠어
주다        줘요      주고      주면      줍니다      주세요      줄      준      주는      줬어
마시다      마셔요    마시고    마시면    마십니다    마시세요    마실    마신    마시는    마셨어
기다리다    기다려요  기다리고  기다리면  기다립니다  기다리세요  기다릴  기다린  기다리는  기다렸어
쉬다        쉬어요    쉬고      쉬면      쉽니다      쉬세요      쉴      쉰      쉬는      쉬었어
되다        돼요      되고      되면      됩니다      되세요      될      된      되는      됐어
하다        해요      하고      하면      합니다      하세요      할      한      하는      했어
공부하다    공부해요  공부하고  공부하면  공부합니다  공부하세요  공부할  공부한  공부하는  공부했어
쓰다        써요      쓰고      쓰면      씁니다      쓰세요      쓸      쓴      쓰는      썼어
바쁘다      바빠요    바쁘고    바쁘면    바쁩니다    바쁘세요    바쁠    바쁜    -         바빴어
예쁘다      예뻐요    예쁘고    예쁘면    예쁩니다    예쁘세요    예쁠    예쁜    -         예뻤어
아프다      아파요    아프고    아프면    아픕니다    아프세요    아플    아픈    -         아팠어
만들다      만들어요  만들고    만들면    만듭니다    만드세요    만들    만든    만드는    만들었어
알다        알아요    알고      알면      압니다      아세요      알      안      아는      알았어
살다        살아요    살고      살면      삽니다      사세요      살      산      사는      살았어
놀다        놀아요    놀고      놀면      놉니다      노세요      놀      논      노는      놀았어
춥다/ㅂ     추워요    춥고      추우면    춥습니다    추우세요    추울    추운    -         추웠어
덥다/ㅂ     더워요    덥고      더우면    덥습니다    더우세요    더울    더운    -         더웠어
아름답다/ㅂ 아름다워요 아름답고 아름다우면 아름답습니다 아름다우세요 아름다울 아름다운 -     아름다웠어
돕다/ㅂ     도와요    돕고      도우면    돕습니다    도우세요    도울    도운    돕는      도왔어
굽다/ㅂ     구워요    굽고      구우면    굽습니다    구우세요    구울    구운    굽는      구웠어
입다        입어요    입고      입으면    입습니다    입으세요    입을    입은    입는      입었어
듣다/ㄷ     들어요    듣고      들으면    듣습니다    들으세요    들을    들은    듣는      들었어
걷다/ㄷ     걸어요    걷고      걸으면    걷습니다    걸으세요    걸을    걸은    걷는      걸었어
닫다        닫아요    닫고      닫으면    닫습니다    닫으세요    닫을    닫은    닫는      닫았어
짓다/ㅅ     지어요    짓고      지으면    짓습니다    지으세요    지을    지은    짓는      지었어
씻다        씻어요    씻고      씻으면    씻습니다    씻으세요    씻을    씻은    씻는      씻었어
부르다/르   불러요    부르고    부르면    부릅니다    부르세요    부를    부른    부르는    불렀어
고르다/르   골라요    고르고    고르면    고릅니다    고르세요    고를    고른    고르는    골랐어
빠르다/르   빨라요    빠르고    빠르면    빠릅니다    빠르세요    빠를    빠른    -         빨랐어
그렇다/ㅎ   그래요    그렇고    그러면    그렇습니다  그러세요    그럴    그런    -         그랬어
하얗다/ㅎ   하얘요    하얗고    하야면    하얗습니다  -           하얄    하얀    -         하얬어
빨갛다/ㅎ   빨개요    빨갛고    빨가면    빨갛습니다  -           빨갈    빨간    -         빨갰어
좋다        좋아요    좋고      좋으면    좋습니다    좋으세요    좋을    좋은    -         좋았어
많다        많아요    많고      많으면    많습니다    많으세요    많을    많은    -         많았어
있다        있어요    있고      있으면    있습니다    있으세요    있을    -       있는      있었어
없다        없어요    없고      없으면    없습니다    없으세요    없을    -       없는      없었어
"""
TABLE = [line.split() for line in FORMS.strip().splitlines()]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_every_class_of_stem_conjugates_as_grammars_say(row: list[str]) -> None:
    base = stem(row[0])
    for ending, expected in zip(ENDINGS, row[1:-1], strict=True):
        if expected != "-":
            assert attach(base, ending) == expected
    assert attach(past(base), "아") == row[-1]


@pytest.mark.parametrize(
    ("lemma", "ending", "expected"),
    [
        ("만들다", "으니까", "만드니까"),
        ("듣다/ㄷ", "으니까", "들으니까"),
        ("춥다/ㅂ", "으니까", "추우니까"),
        ("가다", "으려고", "가려고"),
        ("만들다", "으려고", "만들려고"),
        ("읽다", "으러", "읽으러"),
        ("멀다", "으ㄴ", "먼"),
        ("길다", "네요", "기네요"),
        ("달다", "습니다", "답니다"),
        ("마시다", "아서", "마셔서"),
        ("쓰다", "아야", "써야"),
        ("짓다/ㅅ", "아서", "지어서"),
        ("걷다/ㄷ", "으ㅂ시다", "걸읍시다"),
        ("놀다", "으ㅂ시다", "놉시다"),
        ("많다", "더라", "많더라"),
        ("돕다/ㅂ", "아 주세요", "도와 주세요"),
    ],
)
def test_connectives_join_as_they_should(lemma: str, ending: str, expected: str) -> None:
    assert attach(stem(lemma), ending) == expected


def test_the_remote_past_doubles_the_past() -> None:
    assert attach(past(past(Stem("가"))), "아") == "갔었어"
    assert attach(past(past(Stem("먹"))), "습니다") == "먹었었습니다"


def test_honorific_stems_contract_in_polite_speech() -> None:
    assert attach(honor(Stem("가")), "아요") == "가세요"
    assert attach(honor(Stem("읽")), "습니다") == "읽으십니다"
    assert attach(past(honor(Stem("오"))), "아요") == "오셨어요"
    assert attach(honor(Stem("만들")), "아") == "만드셔"


@pytest.mark.parametrize(
    ("noun", "casual", "polite", "formal", "before"),
    [
        ("학생", "학생이야", "학생이에요", "학생입니다", "학생이었어요"),
        ("의사", "의사야", "의사예요", "의사입니다", "의사였어요"),
    ],
)
def test_the_copula_depends_on_the_noun(
    noun: str, casual: str, polite: str, formal: str, before: str
) -> None:
    base = Stem(noun + "이", "copula")
    assert [attach(base, ending) for ending in ("아", "아요", "습니다")] == [casual, polite, formal]
    assert attach(past(base), "아요") == before


def test_the_negative_copula_stands_alone() -> None:
    base = Stem("아니", "copula")
    assert [attach(base, ending) for ending in ("아", "아요", "습니다")] == ["아니야", "아니에요", "아닙니다"]
    assert attach(past(base), "아요") == "아니었어요"


@pytest.mark.parametrize(
    ("word", "pair", "expected"),
    [
        ("책", "은/는", "책은"),
        ("나", "은/는", "나는"),
        ("책", "이/가", "책이"),
        ("의자", "이/가", "의자가"),
        ("빵", "을/를", "빵을"),
        ("커피", "을/를", "커피를"),
        ("버스", "으로/로", "버스로"),
        ("지하철", "으로/로", "지하철로"),
        ("산", "으로/로", "산으로"),
        ("빵", "과/와", "빵과"),
        ("사과", "과/와", "사과와"),
        ("지훈", "아/야", "지훈아"),
        ("민수", "아/야", "민수야"),
        ("밥", "이나/나", "밥이나"),
        ("커피", "이나/나", "커피나"),
        ("동생", "이랑/랑", "동생이랑"),
        ("누나", "이랑/랑", "누나랑"),
        ("물", "을/를", "물을"),
    ],
)
def test_particles_follow_the_last_sound(word: str, pair: str, expected: str) -> None:
    assert particle(word, pair) == expected


def test_syllables_come_apart_and_together() -> None:
    assert split("값") == ("ㄱ", "ㅏ", "ㅄ")
    assert join(*split("뷁")) == "뷁"
    assert with_tail("가", "ㅆ") == "갔"
    with pytest.raises(ValueError, match="not a Hangul syllable"):
        split("A")


def _spoken(*args: object, **kinds: object) -> str:
    return " ".join(e.text for e in predicate(*args, **kinds).eojeols)  # type: ignore[arg-type]


def test_moods_and_negation_build_up_in_order() -> None:
    go, study = Stem("가"), Stem("공부하")
    assert _spoken(go, "아요", mood="want") == "가고 싶어요"
    assert _spoken(go, "아요", mood="want", negation="지 않") == "가고 싶지 않아요"
    assert _spoken(go, "습니다", mood="cannot") == "갈 수 없습니다"
    assert _spoken(go, "아", mood="must", tense="past") == "가야 했어"
    assert _spoken(go, "아요", mood="once") == "간 적이 있어요"
    assert _spoken(study, "아요", noun="공부", negation="못", tense="past") == "공부 못 했어요"
    assert _spoken(Stem("먹"), "아요", negation="안") == "안 먹어요"


def test_respect_changes_the_verb_itself() -> None:
    assert _spoken(Stem("자"), "아요", honored=True) == "주무세요"
    assert _spoken(Stem("먹"), "습니다", tense="past", honored=True) == "드셨습니다"
    assert _spoken(Stem("읽"), "아요", mood="ongoing", honored=True) == "읽고 계세요"


def test_each_speech_level_closes_in_its_own_way() -> None:
    endings = [attach(Stem("가"), final("statement", style, "future")) for style in (CASUAL, POLITE, FORMAL)]
    assert endings == ["갈 거야", "갈 거예요", "갈 겁니다"]
    assert attach(Stem("가"), final("question", FORMAL, "present")) == "갑니까"
    assert attach(Stem("가"), final("suggestion", CASUAL, "present")) == "가자"


def test_english_verbs_inflect() -> None:
    known = {"teach": "taught", "study": "studied", "wait": "waited", "choose": "chose", "shop": "shopped"}
    assert {verb: forms(verb)[1] for verb in known} == known
    assert [forms(verb)[3] for verb in ("swim", "bake", "sit", "play")] == [
        "swimming",
        "baking",
        "sitting",
        "playing",
    ]
    assert [forms(verb)[0] for verb in ("watch", "study", "play", "go")] == [
        "watches",
        "studies",
        "plays",
        "goes",
    ]


def _words(*args: str, negative: bool = False, inverted: bool = False) -> str:
    group = verb_group(*args, negative=negative, inverted=inverted)  # type: ignore[arg-type]
    return " ".join(word for word, _ in (*group.operator, *group.rest))


def test_english_auxiliaries_agree_and_contract() -> None:
    assert _words("eat", "3s", "present") == "eats"
    assert _words("eat", "3s", "present", negative=True) == "doesn't eat"
    assert _words("eat", "2", "past", inverted=True) == "did eat"
    assert _words("be", "1s", "present", negative=True) == "am not"
    assert _words("be", "3p", "past") == "were"
    assert _words("eat", "3s", "present", "must", negative=True) == "doesn't have to eat"
    assert _words("go", "3s", "present", "once", negative=True) == "has never been"
    assert _words("eat", "1s", "past", "can", negative=True) == "couldn't eat"
    assert _words("eat", "1s", "future") == "will eat"


def test_english_nouns_and_adjectives() -> None:
    assert [plural(n) for n in ("tomato", "strawberry", "child", "bus", "comic book")] == [
        "tomatoes", "strawberries", "children", "buses", "comic books",
    ]  # fmt: skip
    assert [article(n) for n in ("apple", "umbrella", "book")] == ["an apple", "an umbrella", "a book"]
    assert [comparative(a) for a in ("big", "pretty", "expensive", "good", "large")] == [
        "bigger", "prettier", "more expensive", "better", "larger",
    ]  # fmt: skip
