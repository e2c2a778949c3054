"""The words of ordinary lines: how often a text is met there decides what is looked for."""

from __future__ import annotations

import re
from functools import cache

# Met in the lines of nearly every program, and met in those of many; troubled lines hold the last.
OFTEN = frozenset(
    b"a an and api are as at be body by call chat client code com connect connected connection content"
    b" data database de del debug device document domain el en entity event events false field"
    b" file files for from get had has have home host http https id image in index info input is it job"
    b" jobs json key la length level line local log login los main max memory message mode model module"
    b" msg name net network new no node not null object of on open opened opening or org out over"
    b" package packet page path payload para por port post process program python que read ready record"
    b" request requests resource response retries retry root row rows running se send sending sent"
    b" server service session set sha size source start started starting state status step stopped"
    b" stream string success system table task tasks text that the this thread time timeout timeouts to"
    b" token took true type update updated updates upload url usage user usuario value version video"
    b" waiting warn warning was will with worker write".split()
)
SOMETIMES = frozenset(
    b"accept accepted getupdates terminate error errors account action active added address admin agent all already android answer any"
    b" app application archivo assigned async attempt attempts audio auth available background backup"
    b" base batch been before begin binary block blocks boot bot broker browser bucket buffer build"
    b" bytes cache cached callback called cancel cancelled canceled capture certificate change changed"
    b" channel check checking checkpoint child class cleanup close closed closing cluster column command"
    b" commit complete completed component con conf config configuration configured consumer container"
    b" context control cookie core count cpu create created creating cron current cursor daemon daily"
    b" date datos default delete deleted deleting deliver descarga destination detected dev directory"
    b" disable disabled disconnect disconnected discovery disk document done down download downloaded"
    b" downloading downloads driver duration during element empty enable enabled end ended endpoint"
    b" engine entry environment es exec executable execution executor exit exiting export expired"
    b" external failover fetch fetched fetching fichero filesystem filter final finish finished first"
    b" flush folder font force format found frame free fue full function gateway generate generated"
    b" global google group handle handled handler handlers handshake hash head header headers health"
    b" healthy heap heartbeat hook idle import imported inactive incoming init initialized initializing"
    b" inserted inside install installed instance instances interface internal interval invoke item"
    b" items java kernel keepalive last latency latest launch leader left lib library limit linux list"
    b" listen listener listening load loaded loading location lock longer lookup loop machine mail"
    b" manager map mapping mask master match max maximum media merge messages meta metadata method"
    b" migration min minutes missing mount move mozilla named namespace next nodes none normal notice"
    b" notification number old once operation option options order origin other output owner pages"
    b" parse parser part partition password peer pending permission pid ping pipeline plugin point pool"
    b" pooled posted preparing previous primary print priority private processed processing producer"
    b" profile progress properties provider proxy publish published pull push query queue queued quota"
    b" rate reading reason receive received receiving recover recovered recovery redis refresh region"
    b" register registered registry release reload remaining remote remove removed removing rename"
    b" render replica report required reset resolved restart restarted restarting restore resume return"
    b" returned reverse rotate route router rule run runtime safe sample save saved scan schedule"
    b" scheduled scheduler scheduling schema scope script scripts search seconds section segment select"
    b" sequence serial servers services serving sessions setting settings setup shutdown signal"
    b" signature single sleep slot slow snapshot socket son space spark spawned spent sql ssl stack"
    b" stage standby stat statement static statistics stats stdout step stop stopping storage store"
    b" stored subscribe succeeded successful successfully sum summary support sync systemd tag tags"
    b" target telegram temp temporary test tests threads tls tmp total trace track transaction transfer"
    b" transferred transition trigger tries two una unit unix unlock unused upgrade uploaded uploading"
    b" uptime uptodate usb used username users using valid values var via view virtual volume wait wake"
    b" warnings web webhook websocket welcome when which window windows without workers workflow writing"
    b" written yourself zone minute hour day per second ms seg clave longitud".split()
)
TROUBLE = frozenset(
    b"authentication attempting critical denied dropped exceed exceeded exception failed failure"
    b" fatal invalid limited lost offline pressure refused rejected require unable unavailable unexpected"
    b" unknown unrecognized wrong cannot could crash killed panic mismatch incorrect broken bad".split()
)
RATES = ((OFTEN, 600.0), (SOMETIMES, 60.0), (TROUBLE, 12.0))  # a megabyte
UNHEARD = 0.1  # a megabyte, of a whole word that stands in none of the lists
BY_CHANCE = 0.2  # how much rarer a piece of a word gets with each letter
BESIDE = 5 / 150_000  # words that stand together do so oftener than by chance among so many
ENDINGS = (b"s", b"d", b"ed", b"ing", b"er")
FORMED = 0.05  # how much rarer a word is in another form
PIECES = re.compile(rb"[a-z\x80-\xff]+|\d+|[^a-z\d\x80-\xff]+")


def rate(text: bytes) -> float:
    """How often one expects to meet this text in a megabyte of ordinary lines."""
    pieces = PIECES.findall(text)
    found = 1 / BESIDE
    for number, piece in enumerate(pieces):
        if piece != b" ":
            ends = number == len(pieces) - 1
            found *= _piece(piece, first=number == 0, last=ends) * BESIDE
    return found


def _piece(piece: bytes, *, first: bool, last: bool) -> float:
    if piece.isdigit():
        return 40_000.0 * 0.15 ** len(piece)
    if not piece[:1].isalpha() and piece[0] < 0x80:
        return 20_000.0 * 0.1 ** len(piece)
    known = _seen()[first, last].get(piece, 0.0)
    return known + (4000.0 * BY_CHANCE ** len(piece) if first or last else UNHEARD)


@cache
def _seen() -> dict[tuple[bool, bool], dict[bytes, float]]:
    """How often a piece is met, by whether the text begins and ends inside its word."""
    found: dict[tuple[bool, bool], dict[bytes, float]] = {
        (first, last): {} for first in (True, False) for last in (True, False)
    }
    for words, each in RATES:
        formed = {word + ending: each * FORMED for word in words for ending in ENDINGS}
        for word, often in sorted((formed | dict.fromkeys(words, each)).items()):
            size = len(word)
            shown = {
                (False, False): {word},
                (True, False): {word[at:] for at in range(size)},
                (False, True): {word[:at] for at in range(1, size + 1)},
                (True, True): {word[a:b] for a in range(size) for b in range(a + 1, size + 1)},
            }
            for ends, pieces in shown.items():
                for piece in pieces:
                    found[ends][piece] = found[ends].get(piece, 0.0) + often
    return found
