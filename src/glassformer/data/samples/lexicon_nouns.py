"""Nouns for things: Korean, English, how English counts them, the Korean counter, and their classes."""

from glassformer.data.samples.lexicon import Noun, classes, rows

FOOD = """
밥          rice              mass  그릇:bowl   meal plain
비빔밥      bibimbap          mass  그릇:bowl   meal dish order taste
김밥        gimbap            mass  줄:roll     meal dish order taste
라면        ramen             mass  그릇:bowl   meal dish order taste hot
불고기      bulgogi           mass  -           meal dish order taste hot cooked
김치찌개    kimchi stew       mass  그릇:bowl   meal dish order taste hot spicy
된장찌개    soybean stew      mass  그릇:bowl   meal dish order taste hot
냉면        cold noodles      many  그릇:bowl   meal order taste
만두        dumpling          many  개          meal dish order taste hot
떡볶이      tteokbokki        mass  -           meal dish order taste hot spicy
피자        pizza             mass  -           meal dish order taste hot
햄버거      hamburger         one   개          meal dish order taste
샌드위치    sandwich          one   개          meal dish order taste
샐러드      salad             mass  -           meal dish order taste
파스타      pasta             mass  -           meal dish order taste cooked
스테이크    steak             mass  -           meal dish order taste hot cooked grill
치킨        fried chicken     mass  -           meal order taste hot
생선        fish              mass  마리        meal taste fresh shop grill cooked
고기        meat              mass  -           meal taste fresh shop grill cooked
수프        soup              mass  그릇:bowl   meal dish order taste hot
카레        curry             mass  -           meal dish order taste hot spicy cooked
빵          bread             mass  -           snack bake taste shop bakery fresh
과자        cookie            many  개          snack bake taste shop sweet
케이크      cake              mass  -           snack bake order taste shop bakery sweet
초콜릿      chocolate         mass  -           snack taste shop sweet
아이스크림  ice cream         mass  -           snack order taste shop sweet
사탕        candy             mass  -           snack taste shop sweet
떡          rice cake         many  개          snack taste shop sweet
과일        fruit             mass  -           fruit taste shop fresh sweet wash
사과        apple             one   개          fruit taste shop fresh sweet wash
바나나      banana            one   개          fruit taste shop fresh sweet
포도        grape             many  -           fruit taste shop fresh sweet wash
딸기        strawberry        many  개          fruit taste shop fresh sweet wash
수박        watermelon        one   개          fruit taste shop fresh sweet heavy
귤          tangerine         one   개          fruit taste shop fresh sweet
오렌지      orange            one   개          fruit taste shop fresh sweet
복숭아      peach             one   개          fruit taste shop fresh sweet wash
토마토      tomato            one   개          fruit taste shop fresh wash
감자        potato            many  개          fruit taste shop fresh wash bake
고구마      sweet potato      many  개          fruit taste shop sweet wash bake
야채        vegetable         many  -           fruit taste shop fresh wash
계란        egg               many  개          meal taste shop fresh
치즈        cheese            mass  -           snack taste shop salty
김치        kimchi            mass  -           meal dish taste salty spicy
아침        breakfast         mass  -           mealtime
점심        lunch             mass  -           mealtime
저녁        dinner            mass  -           mealtime
"""

DRINK = """
물          water             mass  잔:glass    drink cold
커피        coffee            mass  잔:cup      drink order taste hot
차          tea               mass  잔:cup      drink order hot
녹차        green tea         mass  잔:cup      drink order taste hot
우유        milk              mass  잔:glass    drink shop taste fresh cold
주스        juice             mass  잔:glass    drink order shop taste cold sweet
콜라        cola              mass  병:bottle   drink order shop cold sweet
맥주        beer              mass  병:bottle   drink order shop cold
와인        wine              mass  병:bottle   drink order shop taste
"""

CULTURE = """
책          book              one   권          reading shop goods fun price borrow heavy library
소설        novel             one   권          reading shop fun borrow library long
신문        newspaper         one   -           reading
잡지        magazine          one   권          reading shop fun borrow library
만화책      comic book        one   권          reading shop fun borrow library
시집        poetry book       one   권          reading shop borrow library
편지        letter            one   통          writing post long
이메일      email             one   통          writing long
영화        movie             one   편          watching fun long famous
드라마      drama             one   -           watching fun long famous
뉴스        news              the   -           news
공연        show              one   -           watching fun famous
연극        play              one   편          watching fun
만화        cartoon           one   -           watching fun
음악        music             mass  -           listening
노래        song              one   곡          listening song famous fun
라디오      radio             the   -           radio
강의        lecture           one   -           listening fun long hard
한국어      Korean            mass  -           language study hard
영어        English           mass  -           language study hard
중국어      Chinese           mass  -           language study hard
일본어      Japanese          mass  -           language study hard
프랑스어    French            mass  -           language study hard
수학        math              mass  -           study hard
역사        history           mass  -           study hard fun
과학        science           mass  -           study hard fun
피아노      piano             the   -           instrument lesson
기타        guitar            the   -           instrument lesson
바이올린    violin            the   -           instrument lesson
태권도      taekwondo         mass  -           lesson
단어        word              many  개          word hard
숙제        homework          mass  -           homework hard
시험        exam              one   -           exam hard
문제        problem           the   -           problem hard
사진        picture           one   장          photo goods pretty
그림        painting          one   장          painting goods pretty famous price
"""

GOODS = """
옷          clothes           many  -           clothes shop goods pretty price
치마        skirt             one   -           outfit shop goods pretty price color
바지        pants             many  -           clothes shop goods price color
셔츠        shirt             one   -           clothes shop goods pretty price color
코트        coat              one   -           clothes shop goods pretty price warm color
원피스      dress             one   -           outfit shop goods pretty price color
스웨터      sweater           one   -           clothes shop goods pretty price warm color
신발        shoe              many  -           shoes shop goods pretty price comfort color
운동화      sneaker           many  -           shoes shop goods price comfort color
양말        sock              many  -           shoes shop goods color
모자        hat               one   개          headwear shop goods pretty price color
안경        glasses           many  -           headwear shop goods price
가방        bag               one   개          shop goods pretty price gift heavy find color
우산        umbrella          one   개          shop goods price find lend color
시계        watch             one   개          shop goods pretty price gift find machine
휴대폰      cell phone        one   대          shop goods price find machine lend
컴퓨터      computer          one   대          shop goods price machine power
노트북      laptop            one   대          shop goods price machine power heavy lend
카메라      camera            one   대          shop goods price machine find lend
텔레비전    TV                one   대          shop goods price machine power
자전거      bicycle           one   대          shop goods price machine ride color
자동차      car               one   대          shop price machine drive fast color
의자        chair             one   개          shop furniture goods price comfort
책상        desk              one   개          shop furniture goods price
침대        bed               one   -           shop furniture price comfort
꽃          flower            many  -           shop goods pretty gift plant color
선물        present           one   개          shop goods gift present
장난감      toy               one   개          shop goods price gift
인형        doll              one   개          shop goods pretty price gift
공          ball              one   개          shop goods color
연필        pencil            one   개          shop goods lend
공책        notebook          one   권          shop goods
지갑        wallet            one   개          shop goods price gift find
열쇠        key               one   개          goods find
컵          cup               one   개          shop goods pretty wash price color
접시        plate             one   개          shop goods pretty wash price
거울        mirror            one   개          shop goods price wipe
지도        map               one   장          shop goods
표          ticket            one   장          ticket price
약          medicine          mass  -           medicine
상자        box               one   개          shop furniture heavy
냉장고      refrigerator      one   대          shop price appliance
창문        window            the   -           opening wipe
문          door              the   -           opening
불          light             the   -           power
에어컨      air conditioner   the   -           power
쓰레기      trash             mass  -           trash
건물        building          one   -           build tall
다리        bridge            one   -           build long
나무        tree              one   그루        plant pretty tall
"""

CREATURES = """
고양이      cat               one   마리        pet animal cute
강아지      puppy             one   마리        pet animal cute
토끼        rabbit            one   마리        pet animal cute fast
새          bird              one   마리        animal cute fast
물고기      fish              one   마리        animal fast
곰          bear              one   마리        zoo animal
코끼리      elephant          one   마리        zoo animal
원숭이      monkey            one   마리        zoo animal cute
호랑이      tiger             one   마리        zoo animal fast
오리        duck              one   마리        animal cute
나비        butterfly         one   마리        animal pretty
사람        person            many  명          human
학생        student           many  명          human learner
아이        child             many  명          human
남자        man               many  명          human
여자        woman             many  명          human
손님        customer          many  명          human
외국인      foreigner         many  명          human
관광객      tourist           many  명          human
"""

JOBS = """
의사        doctor            one   명          job
간호사      nurse             one   명          job
경찰관      police officer    one   명          job
요리사      cook              one   명          job
가수        singer            one   명          job
배우        actor             one   명          job
화가        painter           one   명          job
작가        writer            one   명          job
기자        reporter          one   명          job
회사원      office worker     one   명          job
변호사      lawyer            one   명          job
은행원      bank clerk        one   명          job
소방관      firefighter       one   명          job
대학생      college student   one   명          job learner
고등학생    high school student  one  명        job learner
"""


def _noun(cells: list[str]) -> Noun:
    korean, english, number, counter, kinds = cells
    return Noun(korean, english, number, "" if counter == "-" else counter, classes(kinds))


THINGS = rows(FOOD + DRINK + CULTURE + GOODS, _noun)
LIVING = rows(CREATURES, _noun)
PROFESSIONS = rows(JOBS, _noun)
NOUNS = THINGS + LIVING + PROFESSIONS
NOUN = {noun.korean: noun for noun in NOUNS}
