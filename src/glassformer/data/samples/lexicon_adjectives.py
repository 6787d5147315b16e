"""Adjectives: qualities with the noun classes they describe, and the states people can be in."""

from glassformer.data.samples.lexicon import Adjective, classes, rows, stem

QUALITY_TABLE = """
크다          big            goods furniture animal tall
작다          small          goods furniture animal
예쁘다        pretty         pretty clothes
비싸다        expensive      price ticket
싸다          cheap          price ticket fruit
좋다          good           reading watching listening goods machine
맛있다        delicious      taste meal
맵다/ㅂ       spicy          spicy
달다          sweet          sweet
짜다          salty          salty spicy
뜨겁다/ㅂ     hot            hot
차갑다/ㅂ     cold           cold
신선하다      fresh          fresh
재미있다      interesting    fun reading watching
재미없다      boring         fun reading watching
어렵다/ㅂ     difficult      hard exam
쉽다/ㅂ       easy           hard exam
길다          long           long
짧다          short          long
높다          tall           tall
무겁다/ㅂ     heavy          heavy furniture
가볍다/ㅂ     light          heavy shoes
빠르다/르     fast           fast machine
느리다        slow           machine
따뜻하다      warm           warm
편하다        comfortable    comfort clothes
유명하다      famous         famous
귀엽다/ㅂ     cute           cute
깨끗하다      clean          clothes wash shoes
더럽다/ㅂ     dirty          clothes wash shoes
중요하다      important      exam writing word problem
빨갛다/ㅎ     red            color
파랗다/ㅎ     blue           color
노랗다/ㅎ     yellow         color
하얗다/ㅎ     white          color
까맣다/ㅎ     black          color
"""

PLACE_QUALITY_TABLE = """
조용하다      quiet          quiet room building view
시끄럽다/ㅂ   noisy          market play city cafe eat
넓다          spacious       room building outdoors
좁다          narrow         room shop
깨끗하다      clean          room building outdoors
더럽다/ㅂ     dirty          room outdoors
밝다          bright         room cafe building
어둡다/ㅂ     dark           room
아름답다/ㅂ   beautiful      view city walk
유명하다      famous         shop view city
멀다          far            go
가깝다/ㅂ     close          go
춥다/ㅂ       cold           room city
덥다/ㅂ       hot            room city
크다          big            building play
작다          small          building room
"""

STATE_TABLE = """
바쁘다        busy           -
피곤하다      tired          -
아프다        sick           -
행복하다      happy          -
배고프다      hungry         -
목마르다/르   thirsty        -
심심하다      bored          -
"""

FEELING_TABLE = """
기쁘다        glad           -
슬프다        sad            -
외롭다/ㅂ     lonely         -
춥다/ㅂ       cold           -
덥다/ㅂ       hot            -
무섭다/ㅂ     scared         -
졸리다        sleepy         -
"""

PERSON_QUALITY_TABLE = """
친절하다      kind           -
똑똑하다      smart          -
멋있다        cool           -
재미있다      funny          -
젊다          young          -
유명하다      famous         -
착하다        nice           -
부지런하다    hard-working   -
조용하다      quiet          -
건강하다      healthy        -
"""

# what can sensibly be compared: class of things, adjectives
COMPARISON_TABLE = """
fruit         비싸 싸 맛있 달 신선하
drink         비싸 싸 맛있
dish          맛있 맵 뜨겁 비싸 싸
reading       재미있 재미없 비싸
watching      재미있 재미없 길 짧
study         어렵 쉽 재미있 재미없
animal        크 작 귀엽 빠르 느리
furniture     크 작 비싸 싸 무겁 가볍
machine       비싸 싸 좋 무겁 가볍
shoes         비싸 싸 편하 예쁘
clothes       비싸 싸 편하 따뜻하
gift          비싸 싸 예쁘 작
"""

# noun with 이/가, lemma, English verb after "it"
WEATHER_TABLE = """
비가      오다       rain
눈이      오다       snow
날씨가    좋다       be nice
날씨가    춥다/ㅂ    be cold
날씨가    덥다/ㅂ    be hot
날씨가    따뜻하다   be warm
날씨가    시원하다   be cool
날씨가    맑다       be clear
날씨가    흐리다     be cloudy
"""


def _adjective(cells: list[str]) -> Adjective:
    return Adjective(stem(cells[0]), cells[1], classes(cells[2]))


QUALITIES = rows(QUALITY_TABLE, _adjective)
PLACE_QUALITIES = rows(PLACE_QUALITY_TABLE, _adjective)
STATES = rows(STATE_TABLE, _adjective)
FEELINGS = rows(FEELING_TABLE, _adjective)
PERSON_QUALITIES = rows(PERSON_QUALITY_TABLE, _adjective)
