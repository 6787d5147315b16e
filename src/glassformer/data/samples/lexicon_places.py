"""Places, people and times: where things happen, who does them and when."""

from dataclasses import dataclass

from glassformer.data.samples.lexicon import Person, Place, classes, rows

PLACE_TABLE = """
학교          school                  at   study go building school
도서관        ~the library            at   study quiet go building library
카페          ~the café               at   cafe meet go building shop quiet
식당          ~the restaurant         at   eat meet go building shop
시장          ~the market             at   market go
마트          ~the supermarket        at   market go building
백화점        ~the department store   at   clothes goods go meet building
공원          ~the park               at   outdoors meet go walk view
병원          ~the hospital           at   go building work
은행          ~the bank               at   go building work
우체국        ~the post office        at   post go building work
회사          work                    at   work go
집            home                    at   home go
서점          ~the bookstore          at   books go meet building shop
공항          ~the airport            at   go building work meet
영화관        ~the movie theater      at   cinema go meet building
박물관        ~the museum             at   go building view
미술관        ~the art museum         at   go building view
수영장        ~the swimming pool      at   swim go
체육관        ~the gym                at   sport go building
교실          ~the classroom          in   study room quiet school
부엌          ~the kitchen            in   cook room
거실          ~the living room        in   room rest
방            ~the room               in   room rest study
정원          ~the garden             in   view walk plant
바닷가        ~the beach              at   outdoors go walk view swim fish
산            ~the mountains          in   go view hike outdoors
호텔          ~the hotel              at   go building rest work shop
편의점        ~the convenience store  at   snack go building shop work
약국          ~the pharmacy           at   pharmacy go building shop work
빵집          ~the bakery             at   bakery go building shop work
꽃집          ~the flower shop        at   flowers go building shop work
동물원        ~the zoo                at   animals go view
놀이터        ~the playground         at   play outdoors go
놀이공원      ~the amusement park     at   play go view
대학교        college                 at   study go school
사무실        ~the office             at   work room go
서울          Seoul                   in   city go live view
부산          Busan                   in   city go live view
제주도        Jeju                    in   city go live view
뉴욕          New York                in   city go live abroad
런던          London                  in   city go live abroad
파리          Paris                   in   city go live abroad
도쿄          Tokyo                   in   city go live abroad
한국          Korea                   in   country go live
미국          ~the United States      in   country go live abroad
일본          Japan                   in   country go live abroad
중국          China                   in   country go live abroad
영국          England                 in   country go live abroad
프랑스        France                  in   country go live abroad
"""

PEOPLE_TABLE = """
민수      Minsu               he    name
지훈      Jihun               he    name
준호      Junho               he    name
현우      Hyeonu              he    name
지영      Jiyeong             she   name
수진      Sujin               she   name
유나      Yuna                she   name
미나      Mina                she   name
어머니    one's mother           she   honored
아버지    one's father           he    honored
할머니    one's grandmother      she   honored
할아버지  one's grandfather      he    honored
삼촌      one's uncle            he    kin
이모      one's aunt             she   kin
형        one's older brother    he    kin
누나      one's older sister     she   kin
남동생    one's younger brother  he    kin
여동생    one's younger sister   she   kin
선생님    ~the teacher        they  honored
사장님    ~the boss           they  honored
"""

# Korean, English, the tense it goes with (-far: only things that take months or are done once a year)
TIME_TABLE = """
어제            yesterday                         past
그저께          ~the day|0 before|0 yesterday     past
어젯밤에        last night                        past
지난주에        last week                         past
지난달에        last month                        past-far
작년에          last year                         past-far
아까            earlier                           past
오늘_아침에     this|0 morning|1                  past
지난_주말에     last|0 weekend|1                  past
내일            tomorrow                          future
모레            ~the day|0 after|0 tomorrow       future
이따가          later                             future
다음_주에       next|0 week|1                     future
다음_달에       next|0 month|1                    future-far
내년에          next year                         future-far
내일_아침에     tomorrow|0 morning|1              future
오늘_밤에       tonight|0,1                       future
이번_주말에     this|0 weekend|1                  future
오늘            today                             any
매일            every day                         habit
매주            every week                        habit
아침마다        every morning                     habit
저녁마다        every evening                     habit
주말마다        every weekend                     habit
여름마다        every summer                      habit-far
겨울마다        every winter                      habit-far
지금            now                               now
"""

DAYS = {
    "월요일": "Monday",
    "화요일": "Tuesday",
    "수요일": "Wednesday",
    "목요일": "Thursday",
    "금요일": "Friday",
    "토요일": "Saturday",
    "일요일": "Sunday",
}
FREQUENCY = {"자주": "often", "가끔": "sometimes", "항상": "always", "보통": "usually"}


@dataclass(frozen=True, slots=True)
class TimeWord:
    """A time expression, its English with alignment marks, and the tense it goes with."""

    korean: str
    english: str
    tense: str


PLACES = rows(PLACE_TABLE, lambda c: Place(c[0], c[1], c[2], classes(c[3])))
PLACE = {place.korean: place for place in PLACES}
PEOPLE = rows(PEOPLE_TABLE, lambda c: Person(c[0], c[1], c[2], c[3]))
TIMES = rows(TIME_TABLE, lambda c: TimeWord(c[0].replace("_", " "), c[1], c[2]))
