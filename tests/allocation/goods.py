"""Items as the tests make them up."""

from chubei_shared.contracts import catalogue

WATER, QUILT, BED = "1020101", "1040101", "1010201"
INVENTED = {"certainty": "invented", "source": "test"}


def item(code: str, zh: str, en: str, grams: int) -> catalogue.Item:
    return catalogue.Item(
        code=code,
        name_zh=zh,
        name_en=en,
        family="relief",
        unit_zh="件",
        pack=1,
        weight_g=grams,
        volume_cm3=20_000,
        reserve_modes=["physical", "contract"],
        managing_body="应急管理局",
        dispatch_authority="区应急指挥部",
        provenance=INVENTED,
    )


def kit() -> catalogue.Kit:
    needs = [(WATER, 1), (QUILT, 1), (BED, 2)]
    return catalogue.Kit(
        id="indoor-test",
        name_zh="室内",
        name_en="indoors",
        needs=[{"item_code": code, "per_person": 1, "tier": tier} for code, tier in needs],
        provenance=INVENTED,
    )
