#!/usr/bin/env bash
# A time in an OFX file, the format in which brokers and banks hand out statements, may end with its distance from Greenwich and, after
# a colon, the zone's name: 20240115193000[-5:EST]; the name may be left out. ofxparse turns such a time to Greenwich, but only where the
# name is there: [-5] alone is thrown away, and the sale of 19:30 in New York is read as one of 19:30 in Greenwich, five hours too early,
# and on another day than the same one with a name, 16 January. What it gives has no zone in either case, so nothing tells the two apart.
# ofxtools reads all of them alike, with a zone. Read a statement's day before you trust it, or read it with ofxtools.
# Exit 0: still so. Exit 1: the behaviour changed.
source "$(dirname "$0")/env.sh"
with_packages ofxparse==0.21 ofxtools==1.1.1 <<'PYTHON'
import io
import sys
from importlib.metadata import version

from ofxparse import OfxParser
from ofxtools.Types import DateTime

HEAD = "OFXHEADER:100\nDATA:OFXSGML\nVERSION:103\nSECURITY:NONE\nENCODING:USASCII\nCHARSET:1252\nCOMPRESSION:NONE\nOLDFILEUID:NONE\nNEWFILEUID:NONE\n\n"
SALE = """<SELLSTOCK><INVSELL><INVTRAN><FITID>{number}<DTTRADE>{time}</INVTRAN><SECID><UNIQUEID>037833100<UNIQUEIDTYPE>CUSIP</SECID>
<UNITS>-10<UNITPRICE>183.63<TOTAL>1836.30<SUBACCTSEC>CASH<SUBACCTFUND>CASH</INVSELL><SELLTYPE>SELL</SELLSTOCK>"""
STATEMENT = """<OFX><INVSTMTMSGSRSV1><INVSTMTTRNRS><TRNUID>1<STATUS><CODE>0<SEVERITY>INFO</STATUS><INVSTMTRS><DTASOF>20240131120000
<CURDEF>USD<INVACCTFROM><BROKERID>example.org<ACCTID>1</INVACCTFROM><INVTRANLIST><DTSTART>20240101120000<DTEND>20240131120000
{sales}</INVTRANLIST></INVSTMTRS></INVSTMTTRNRS></INVSTMTMSGSRSV1></OFX>"""
TIMES = ["20240115193000[-5:EST]", "20240115193000.000[-5:EST]", "20240115193000[-5]", "20240115193000.000[-5]", "20240116003000"]
text = HEAD + STATEMENT.format(sales="".join(SALE.format(number=number, time=time) for number, time in enumerate(TIMES)))
sales = OfxParser.parse(io.BytesIO(text.encode())).account.statement.transactions
read = {time: sale.tradeDate for time, sale in zip(TIMES, sales)}
other = {time: DateTime().convert(time) for time in TIMES}
print("ofxparse", version("ofxparse"), "ofxtools", version("ofxtools"), "- the same sale, 00:30 in Greenwich on 16 January, written in", len(sales), "ways")
for time in TIMES:
    print(f"{time}: ofxparse {read[time]} (zone {read[time].tzinfo}), ofxtools {other[time]}")
right = len(sales) == 5 and {str(at) for at in other.values()} == {"2024-01-16 00:30:00+00:00"}
found = [str(at) for at in read.values()]
expected = ["2024-01-16 00:30:00"] * 2 + ["2024-01-15 19:30:00"] * 2 + ["2024-01-16 00:30:00"]
sys.exit(0 if right and found == expected else 1)
PYTHON
