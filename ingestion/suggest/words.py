"""What column names abbreviate and translate to, null words, and date patterns: data, no rules."""

# Each line: the word that stands for its group, then other words for the same thing.
SYNONYMS = """
id: index idx identifier key code ref reference no num nbr nr number ident uid guid pk referenz identificador numero nummer
trade: deal transaction txn trd trx tran trans tx handel handels geschaeft order
date: day dt datum fecha jour tag dat giorno data
amount: amt betrag montant importe value val total sum summe notional importo bedrag
currency: ccy cur curr devise moneda waehrung wahrung valuta divisa
counterparty: cpty cp party gegenpartei client customer cust kunde contrepartie counterpart cliente klant
name: nm nom nombre bezeichnung title titel naam
country: ctry land pays pais nation nationality cntry
city: town municipality ville ciudad stadt ort locality muni place
state: province region st bundesland prov
zip: postal postcode zipcode plz postleitzahl cp
address: addr adr adresse street strasse direccion str
phone: telephone tel mobile telefon fon
quantity: qty menge units shares anzahl cantidad quantite volume count cnt
price: px prc preis prix precio cost
rate: kurs fx ratio percent pct taux tasa
side: direction bs buysell kv seite sens dir
settlement: sett settle stl settl
account: acct acc konto compte cuenta
description: desc descr text memo comment remark note notes bemerkung narrative
elevation: altitude alt elev height
latitude: lat
longitude: lon lng long
time: tm zeit hora heure
user: usr trader operator dealer
average: avg mean
maximum: max
minimum: min
provider: prov vendor supplier supp lieferant
product: prod item artikel sku article
category: cat class kategorie type typ kind style
status: stat zustand estado
department: dept abteilung
organization: org organisation company firma
first: fst vor fname given f
last: lst surname lname family nach l
birth: dob birthday geburt born
start: begin from von
end: to until bis finish
employee: emp mitarbeiter staff
interest: int zins
balance: bal saldo
branch: filiale
invoice: inv rechnung bill facture factura
payment: pay pmt zahlung pago
book: portfolio
pair: instrument
scheduled: sched planned
actual: act
departure: dep
arrival: arr
instrument: instr security sec
maturity: mat
gross: brutto
net: netto
email: mail
"""
GROUP = {
    word: line.split(":")[0].strip()
    for line in SYNONYMS.strip().splitlines()
    for word in (line.split(":")[0].strip(), *line.split(":")[1].split())
}

# Words that stand for nothing. Those in `SURE` are no name, code or country of anything.
SURE = frozenset(
    ("\\N", "#N/A", "N/A", "n/a", "NULL", "null", "NaN", "nan", "<NA>", "(null)", "(blank)", "#NULL!", "#VALUE!", "--", "---")
    + ("Not Available", "not available", "NOT AVAILABLE", "Not Applicable", "Missing", "missing")
)  # fmt: skip
DOUBTFUL = frozenset(
    ("-", "?", ".", "None", "none", "NONE", "Null", "Nan", "nil", "NA", "na", "unknown", "Unknown", "UNKNOWN", "empty")
    + ("Empty", "EMPTY", "tbd", "TBD", "TBA", "*", "0000-00-00", "9999-12-31")
)  # fmt: skip

# The shape that a text must have before a pattern is tried, and the pattern. The first ones are preferred where both fit.
DATES = (
    (r"\d{4}-\d{2}-\d{2}", "%Y-%m-%d"),
    (r"\d{1,2}\.\d{1,2}\.\d{4}", "%d.%m.%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%d/%m/%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%d-%m-%Y"),
    (r"\d{1,2}-\d{1,2}-\d{4}", "%m-%d-%Y"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d{4}\.\d{1,2}\.\d{1,2}", "%Y.%m.%d"),
    (r"(?:19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", "%Y%m%d"),
    (r"\d{1,2}\.\d{1,2}\.\d{2}", "%d.%m.%y"),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%d/%m/%y"),
    (r"\d{1,2}/\d{1,2}/\d{2}", "%m/%d/%y"),
    (r"\d{1,2}/\d{1,2}/\d{1,2}", "%y/%m/%d"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"\d{1,2}-[A-Za-z]{3}-\d{2}", "%d-%b-%y"),
    (r"\d{1,2} [A-Za-z]{3} \d{4}", "%d %b %Y"),
    (r"\d{1,2}[A-Za-z]{3}\d{4}", "%d%b%Y"),
    (r"\d{1,2} [A-Za-z]{3,9} \d{4}", "%d %B %Y"),
    (r"[A-Za-z]{3} \d{1,2}, \d{4}", "%b %d, %Y"),
    (r"[A-Za-z]{3,9} \d{1,2}, \d{4}", "%B %d, %Y"),
)
CLOCKS = (
    (r"\d{1,2}:\d{2}", "%H:%M"),
    (r"\d{1,2}:\d{2}:\d{2}", "%H:%M:%S"),
    (r"\d{1,2}:\d{2}:\d{2}\.\d{1,9}", "%H:%M:%S.%f"),
    (r"\d{1,2}:\d{2} ?[AaPp][Mm]", "%I:%M %p"),
    (r"\d{1,2}:\d{2}:\d{2} ?[AaPp][Mm]", "%I:%M:%S %p"),
)
JOINTS = (" ", "T")
