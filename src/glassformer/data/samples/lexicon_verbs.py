"""Verbs: lemma and irregular class, English, the classes of their objects and of their places."""

from glassformer.data.samples.lexicon import Verb, classes, rows, stem

TRANSITIVE_TABLE = """
먹다          eat          meal snack fruit mealtime   home eat outdoors
먹다          take         medicine                    home
마시다        drink        drink                       home cafe eat
요리하다      cook         cooked                      home cook
만들다        make         dish                        home cook
시키다        order        order                       eat cafe
주문하다      order        order               eat cafe
굽다/ㅂ       bake         bake                        home cook
굽다/ㅂ       grill        grill                       home cook outdoors
읽다          read         reading writing             home cafe library study rest outdoors
쓰다          write        writing               home cafe library rest study
보다          watch        watching news               home rest
보다          watch        watching                    cinema
듣다/ㄷ       listen to    listening radio             home cafe rest outdoors
사다          buy          fruit snack                 market
사다          buy          clothes outfit shoes headwear   clothes market
사다          buy          goods                       clothes
사다          buy          reading                     books
팔다          sell         fruit snack                 market
팔다          sell         clothes shoes furniture ride   market
배우다        learn        study instrument lesson     school
공부하다      study        study word                  home cafe library study
가르치다      teach        study instrument lesson     school
연습하다      practice     instrument lesson language song   home school
부르다/르     sing         song                        home rest
연주하다      play         instrument                  home school
짓다/ㅅ        build        build                       outdoors
외우다        memorize     word song                   home cafe library study
끝내다        finish       homework                    home cafe library study
풀다          solve        problem                     home library study
준비하다      prepare      mealtime present            home
준비하다      prepare for  exam                        home library study
입다          wear         clothes                     -
신다          wear         shoes                       -
쓰다          wear         headwear                    -
찾다          look for     find photo ticket           home
잃어버리다    lose         find ticket                 market outdoors abroad city
빌리다        borrow       borrow                      library
빌리다        borrow       lend ride drive             -
돌려주다      return       borrow lend                 -
고르다/르     choose       clothes outfit shoes headwear gift   clothes
찍다          take         photo                       view outdoors abroad
그리다        draw         animal plant                home outdoors study
씻다          wash         wash                        cook home
닦다          wipe         wipe furniture              home rest
열다          open         opening                     -
닫다          close        opening                     -
켜다          turn on      power radio                 -
끄다          turn off     power radio                 -
보내다        send         writing photo present       -
받다          receive      writing gift present        -
타다          ride         ride                        outdoors
운전하다      drive        drive                       -
키우다        raise        pet                         home
심다          plant        plant                       plant outdoors home
고치다        fix          machine furniture           home
버리다        throw away   trash reading shoes         -
"""

INTRANSITIVE_TABLE = """
자다          sleep         -   home rest
쉬다          rest          -   home rest outdoors cafe
일하다        work          -   work shop
일어나다      get up        -   -
놀다          play          -   home outdoors play
걷다/ㄷ       walk          -   walk
달리다        run           -   walk sport
수영하다      swim          -   swim
운동하다      exercise      -   outdoors sport home
요리하다      cook          -   home cook
산책하다      take a walk   -   walk
쇼핑하다      shop          -   clothes market abroad
춤추다        dance         -   home play
노래하다      sing          -   home rest
이야기하다    talk          -   cafe home outdoors
등산하다      hike          -   hike
낚시하다      go fishing    -   fish
출발하다      leave         -   -
울다          cry           -   -
웃다          laugh         -   -
앉다          sit down      -   -
공부하다      study         -   home cafe library study
"""

# verbs whose object is a person
SOCIAL_TABLE = """
만나다        meet         -   meet cafe eat city
돕다/ㅂ       help         -   home work study
기다리다      wait for     -   meet cafe
초대하다      invite       -   -
찾다          look for     -   meet outdoors
"""

SPLITTING = (
    "요리",
    "공부",
    "수영",
    "운동",
    "산책",
    "쇼핑",
    "노래",
    "등산",
    "낚시",
    "일",
    "연습",
    "준비",
    "주문",
    "운전",
)
# 드시다 also means *drink*, but then 뭐 드셨어요? would have two meanings
HONORIFIC = {"먹": "드시", "자": "주무시", "있": "계시"}


def _verb(cells: list[str]) -> Verb:
    lemma, english, objects, places = cells
    base = stem(lemma)
    noun = base.text.removesuffix("하")
    return Verb(base, english, classes(objects), classes(places), noun if noun in SPLITTING else "")


TRANSITIVE = rows(TRANSITIVE_TABLE, _verb)
INTRANSITIVE = rows(INTRANSITIVE_TABLE, _verb)
SOCIAL = rows(SOCIAL_TABLE, _verb)
