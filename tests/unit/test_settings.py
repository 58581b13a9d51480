"""A comparison says how to make it again."""

from thetahat.comparison.options import Settings


def test_a_set_of_columns_is_typed_in_the_same_order_in_every_process():
    names = [f"column{k}" for k in range(8)]
    typed = Settings(drop=set(names), na_values=frozenset(["none", "-"])).command("t.csv", "y")
    dropped = " ".join(f"--drop {name}" for name in names)
    assert typed == f"thetahat compare t.csv --target y {dropped} --na-values - --na-values none --seed 0"


def test_a_list_of_columns_is_typed_as_it_was_given():
    assert "--drop b --drop a" in Settings(drop=["b", "a"]).command("t.csv", "y")
