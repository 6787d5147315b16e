"""Adverbs: Korean, English, the verbs they go with, and where English puts them."""

from glassformer.data.samples.lexicon import rows

ADVERB_TABLE = """
열심히      hard        공부하 일하 운동하 연습하
빨리        quickly     먹 마시 걷 읽 끝내 고르 씻 가 오
천천히      slowly      먹 마시 걷 읽 고르 운전하 이야기하
조용히      quietly     읽 걷 쉬 공부하 이야기하 울 놀
일찍        early       자 일어나 출발하 가 오
늦게        late        자 일어나 출발하 가 오
많이        a lot       웃 울 걷 이야기하 쉬 일하
다시        again       읽 보 만들 쓰 고치 배우 부르 만나 가 오
혼자        alone       먹 마시 보 살 걷 공부하 놀 쉬 가 요리하 등산하 쇼핑하 춤추
조심히      carefully   걷 운전하 열 닫
"""
ADVERBS = rows(ADVERB_TABLE, lambda cells: (cells[0], cells[1], frozenset(cells[2].split())))


def adverbs_of(stem: str) -> tuple[tuple[str, str], ...]:
    """The adverbs, Korean and English, that go with a verb."""
    return tuple((korean, english) for korean, english, stems in ADVERBS if stem in stems)
