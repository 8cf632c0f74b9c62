"""Every state that a message names has its words."""

import pytest
from chubei_shared import state_words


@pytest.mark.parametrize("kind", state_words._WORDS, ids=lambda kind: kind.__name__)
def test_every_value_has_words_of_its_own_in_chinese(kind):
    told = [state_words.zh(kind, value) for value in kind]
    assert len(set(told)) == len(told)
    assert all("\u4e00" <= sign <= "\u9fff" for words in told for sign in words)
