"""Names, codes and spellings of the provinces: the one table behind name matching, inside the package."""

from dataclasses import dataclass
from typing import Literal

Suffix = Literal["province", "municipality", "region"]


@dataclass(frozen=True)
class Region:
    """One province-level unit. ``latin`` and ``chinese`` are further exact spellings, without spaces or case."""

    code: int  # GB/T 2260, first two digits
    iso: str  # ISO 3166-2 without "CN-"; also the letter code of GB/T 2260
    en: str
    zh: str
    zh_full: str
    abbreviations: str  # the one-character names, the usual one first
    suffix: Suffix = "province"
    latin: tuple[str, ...] = ()
    chinese: tuple[str, ...] = ()


PROVINCES = (
    Region(11, "BJ", "Beijing", "北京", "北京市", "京", "municipality"),
    Region(12, "TJ", "Tianjin", "天津", "天津市", "津", "municipality"),
    Region(13, "HE", "Hebei", "河北", "河北省", "冀"),
    Region(14, "SX", "Shanxi", "山西", "山西省", "晋", latin=("shānxī",)),
    Region(
        15, "NM", "Inner Mongolia", "内蒙古", "内蒙古自治区", "蒙", "region",
        latin=("neimongol", "neimonggol", "neimenggu", "neimeng", "innermongol", "innermongolian"),
        chinese=("内蒙", "内蒙自治区"),
    ),
    Region(21, "LN", "Liaoning", "辽宁", "辽宁省", "辽"),
    Region(22, "JL", "Jilin", "吉林", "吉林省", "吉"),
    Region(23, "HL", "Heilongjiang", "黑龙江", "黑龙江省", "黑"),
    Region(31, "SH", "Shanghai", "上海", "上海市", "沪", "municipality"),
    Region(32, "JS", "Jiangsu", "江苏", "江苏省", "苏"),
    Region(33, "ZJ", "Zhejiang", "浙江", "浙江省", "浙"),
    Region(34, "AH", "Anhui", "安徽", "安徽省", "皖"),
    Region(35, "FJ", "Fujian", "福建", "福建省", "闽"),
    Region(36, "JX", "Jiangxi", "江西", "江西省", "赣"),
    Region(37, "SD", "Shandong", "山东", "山东省", "鲁"),
    Region(41, "HA", "Henan", "河南", "河南省", "豫"),
    Region(42, "HB", "Hubei", "湖北", "湖北省", "鄂"),
    Region(43, "HN", "Hunan", "湖南", "湖南省", "湘"),
    Region(44, "GD", "Guangdong", "广东", "广东省", "粤"),
    Region(
        45, "GX", "Guangxi", "广西", "广西壮族自治区", "桂", "region",
        latin=("guangxizhuang", "guangxizhuangzu"), chinese=("广西壮族",),
    ),
    Region(46, "HI", "Hainan", "海南", "海南省", "琼"),
    Region(50, "CQ", "Chongqing", "重庆", "重庆市", "渝", "municipality"),
    Region(51, "SC", "Sichuan", "四川", "四川省", "川蜀"),
    Region(52, "GZ", "Guizhou", "贵州", "贵州省", "贵黔"),
    Region(53, "YN", "Yunnan", "云南", "云南省", "云滇"),
    Region(54, "XZ", "Tibet", "西藏", "西藏自治区", "藏", "region", latin=("xizang", "tibetan")),
    Region(61, "SN", "Shaanxi", "陕西", "陕西省", "陕秦", latin=("shǎnxī",)),
    Region(62, "GS", "Gansu", "甘肃", "甘肃省", "甘陇"),
    Region(63, "QH", "Qinghai", "青海", "青海省", "青"),
    Region(
        64, "NX", "Ningxia", "宁夏", "宁夏回族自治区", "宁", "region",
        latin=("ningxiahui", "ningxiahuizu"), chinese=("宁夏回族",),
    ),
    Region(
        65, "XJ", "Xinjiang", "新疆", "新疆维吾尔自治区", "新", "region",
        latin=("xinjianguygur", "xinjianguyghur", "xinjianguighur", "xinjiangweiwuer", "xinjiangweiwuerzu"),
        chinese=("新疆维吾尔", "新疆维吾尔族自治区"),
    ),
)  # fmt: skip

OUTSIDE = (
    Region(71, "TW", "Taiwan", "台湾", "台湾省", "台", latin=("taiwanchina",), chinese=("中国台湾", "台湾地区")),
    Region(
        81, "HK", "Hong Kong", "香港", "香港特别行政区", "港",
        latin=("hongkongsar", "hongkongsarchina", "hongkongchina", "hongkongspecialadministrativeregion"),
        chinese=("中国香港",),
    ),
    Region(
        82, "MO", "Macao", "澳门", "澳门特别行政区", "澳",
        latin=("macau", "macaosar", "macausar", "macaosarchina", "macaochina", "macaospecialadministrativeregion"),
        chinese=("中国澳门",),
    ),
)  # fmt: skip

TOTALS = (
    "全国", "全国合计", "全国总计", "全国平均", "全国总数", "合计", "总计", "总数", "中国", "各地区合计", "地区合计",
    "national", "nationaltotal", "total", "china", "nation", "nationwide", "nationalaverage", "wholecountry",
    "countrytotal", "totalchina", "chinatotal", "allchina",
)  # fmt: skip

# Sums over several provinces, and amounts that belong to none.
GROUPS = (
    "东部", "中部", "西部", "东北", "东部十省", "中部六省", "西部十二省", "东北三省", "东部10省", "中部6省", "西部12省",
    "东北3省", "华北", "华东", "华中", "华南", "西北", "西南", "中南", "南方", "北方", "沿海", "内陆", "东部沿海",
    "长三角", "长江三角洲", "珠三角", "珠江三角洲", "环渤海", "京津冀",
    "长江经济带", "黄河流域", "粤港澳大湾区", "不分地区", "其他", "中央",
    "east", "eastern", "central", "middle", "west", "western", "northeast", "northeastern", "northchina", "eastchina",
    "centralchina", "southchina", "southcentralchina", "northwest", "northwestchina", "southwest", "southwestchina",
    "northeastchina", "south", "southern", "north", "northern", "coastal", "inland", "yangtzeriverdelta",
    "pearlriverdelta", "notclassifiedbyregion", "other", "others",
)  # fmt: skip

CORPS = (
    "新疆生产建设兵团", "新疆兵团", "兵团", "新疆建设兵团",
    "xinjiangproductionandconstructioncorps", "xinjiangcorps", "xpcc", "bingtuan",
)  # fmt: skip

# Cities with planning status of their own, which yearbooks list below the provinces that they belong to.
CITIES = ("大连", "宁波", "厦门", "青岛", "深圳", "dalian", "ningbo", "xiamen", "qingdao", "shenzhen")
