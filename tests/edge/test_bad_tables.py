import pytest

from thetahat.comparison.checks import examine
from thetahat.errors import DataError
from thetahat.tables import read

ROWS = "\n".join(f"{k % 7},{k % 5}.5,{'uv'[k % 2]}" for k in range(60))
GOOD = f"a,b,y\n{ROWS}\n"

BAD = {
    "TH101": GOOD.replace("a,b,y", "a,b,z"),
    "TH102": "a,b,y\n" + ROWS.replace("v", "u") + "\n",
    "TH103": GOOD + "inf,1.5,u\n",
    "TH104": GOOD + "1,1.5,w\n",
    "TH105": GOOD.replace("a,b,y", "a,a,y"),
    "TH106": GOOD + "3,$12,u\n",
    "TH107": "a,c,y\n" + "\n".join(f"{k % 7},c{k // 2},{'uv'[k % 2]}" for k in range(60)) + "\n",
    "TH108": "",
    "TH109": GOOD.replace(",", ";"),
    "TH110": "a,id,y\n" + "\n".join(f"{k % 7},id{k},{'uv'[k % 2]}" for k in range(60)) + "\n",
}


def codes(path):
    try:
        return {problem.code.value for problem in examine(read(path), "y").problems}
    except DataError as error:
        return {problem.code.value for problem in error.problems}


@pytest.mark.parametrize("code", BAD)
def test_each_code_is_provoked_by_a_file(tmp_path, code):
    path = tmp_path / "bad.csv"
    path.write_text(BAD[code])
    assert code in codes(path)


def test_a_good_file_has_no_problem(tmp_path):
    path = tmp_path / "good.csv"
    path.write_text(GOOD)
    assert codes(path) == set()


def test_several_problems_are_reported_together(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(BAD["TH106"] + "inf,1.5,u\n")
    assert {"TH103", "TH106"} <= codes(path)
