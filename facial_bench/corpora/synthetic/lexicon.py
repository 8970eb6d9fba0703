"""A small vocabulary with its pronunciations, and a random grammar over it.

Phones are ARPAbet-like; `1` after a vowel marks the syllable that carries the word's stress. The
words and their pronunciations are common knowledge, written down here; nothing is read from a file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np

VOWELS = frozenset(["AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"])

# One line per word class; `word:PHONES`, phones joined by dots.
_TABLE = """
determiner the:DH.AH a:AH my:M.AY this:DH.IH.S that:DH.AE.T some:S.AH.M our:AW.ER your:Y.AO.R every:EH.V.R.IY
determiner her:HH.ER his:HH.IH.Z no:N.OW one:W.AH.N each:IY.CH their:DH.EH.R
pronoun i:AY you:Y.UW we:W.IY they:DH.EY she:SH.IY he:HH.IY it:IH.T people:P.IY1.P.AH.L everybody:EH1.V.R.IY.B.AA.D.IY
noun time:T.AY1.M year:Y.IH1.R way:W.EY1 day:D.EY1 man:M.AE1.N thing:TH.IH1.NG woman:W.UH1.M.AH.N life:L.AY1.F
noun child:CH.AY1.L.D world:W.ER1.L.D school:S.K.UW1.L family:F.AE1.M.AH.L.IY student:S.T.UW1.D.AH.N.T
noun group:G.R.UW1.P country:K.AH1.N.T.R.IY problem:P.R.AA1.B.L.AH.M hand:HH.AE1.N.D part:P.AA1.R.T place:P.L.EY1.S
noun case:K.EY1.S week:W.IY1.K company:K.AH1.M.P.AH.N.IY system:S.IH1.S.T.AH.M program:P.R.OW1.G.R.AE.M
noun question:K.W.EH1.S.CH.AH.N work:W.ER1.K number:N.AH1.M.B.ER night:N.AY1.T point:P.OY1.N.T home:HH.OW1.M
noun water:W.AO1.T.ER room:R.UW1.M mother:M.AH1.DH.ER area:EH1.R.IY.AH money:M.AH1.N.IY story:S.T.AO1.R.IY
noun month:M.AH1.N.TH book:B.UH1.K eye:AY1 job:JH.AA1.B word:W.ER1.D business:B.IH1.Z.N.AH.S side:S.AY1.D
noun friend:F.R.EH1.N.D father:F.AA1.DH.ER power:P.AW1.ER hour:AW1.ER game:G.EY1.M line:L.AY1.N end:EH1.N.D
noun member:M.EH1.M.B.ER law:L.AO1 car:K.AA1.R city:S.IH1.T.IY name:N.EY1.M team:T.IY1.M minute:M.IH1.N.AH.T
noun idea:AY.D.IY1.AH body:B.AA1.D.IY back:B.AE1.K parent:P.EH1.R.AH.N.T face:F.EY1.S level:L.EH1.V.AH.L
noun office:AO1.F.AH.S door:D.AO1.R health:HH.EH1.L.TH person:P.ER1.S.AH.N art:AA1.R.T war:W.AO1.R
noun history:HH.IH1.S.T.ER.IY party:P.AA1.R.T.IY result:R.IH.Z.AH1.L.T change:CH.EY1.N.JH morning:M.AO1.R.N.IH.NG
noun reason:R.IY1.Z.AH.N moment:M.OW1.M.AH.N.T air:EH1.R teacher:T.IY1.CH.ER force:F.AO1.R.S paper:P.EY1.P.ER
noun map:M.AE1.P boat:B.OW1.T bird:B.ER1.D pump:P.AH1.M.P movie:M.UW1.V.IY summer:S.AH1.M.ER bottle:B.AA1.T.AH.L
noun future:F.Y.UW1.CH.ER voice:V.OY1.S window:W.IH1.N.D.OW river:R.IH1.V.ER fire:F.AY1.ER food:F.UW1.D
noun music:M.Y.UW1.Z.IH.K market:M.AA1.R.K.AH.T baby:B.EY1.B.IY mouth:M.AW1.TH house:HH.AW1.S town:T.AW1.N
verb made:M.EY1.D took:T.UH1.K saw:S.AO1 knew:N.UW1 got:G.AA1.T gave:G.EY1.V found:F.AW1.N.D told:T.OW1.L.D
verb asked:AE1.S.K.T felt:F.EH1.L.T tried:T.R.AY1.D left:L.EH1.F.T called:K.AO1.L.D kept:K.EH1.P.T let:L.EH1.T
verb showed:SH.OW1.D heard:HH.ER1.D played:P.L.EY1.D moved:M.UW1.V.D liked:L.AY1.K.T lived:L.IH1.V.D
verb believed:B.IH.L.IY1.V.D brought:B.R.AO1.T wrote:R.OW1.T lost:L.AO1.S.T paid:P.EY1.D met:M.EH1.T
verb learned:L.ER1.N.D changed:CH.EY1.N.JH.D followed:F.AA1.L.OW.D stopped:S.T.AA1.P.T built:B.IH1.L.T
verb spoke:S.P.OW1.K read:R.EH1.D opened:OW1.P.AH.N.D loved:L.AH1.V.D bought:B.AO1.T sent:S.EH1.N.T
verb needs:N.IY1.D.Z wants:W.AA1.N.T.S helps:HH.EH1.L.P.S means:M.IY1.N.Z keeps:K.IY1.P.S remembers:R.IH.M.EH1.M.B.ER.Z
verb imagined:IH.M.AE1.JH.AH.N.D improved:IH.M.P.R.UW1.V.D chose:CH.OW1.Z pushed:P.UH1.SH.T watched:W.AA1.CH.T
adjective good:G.UH1.D new:N.UW1 first:F.ER1.S.T last:L.AE1.S.T long:L.AO1.NG great:G.R.EY1.T little:L.IH1.T.AH.L
adjective own:OW1.N other:AH1.DH.ER old:OW1.L.D right:R.AY1.T big:B.IH1.G high:HH.AY1 small:S.M.AO1.L
adjective large:L.AA1.R.JH next:N.EH1.K.S.T early:ER1.L.IY young:Y.AH1.NG public:P.AH1.B.L.IH.K bad:B.AE1.D
adjective same:S.EY1.M able:EY1.B.AH.L whole:HH.OW1.L free:F.R.IY1 simple:S.IH1.M.P.AH.L happy:HH.AE1.P.IY
adjective warm:W.AO1.R.M open:OW1.P.AH.N common:K.AA1.M.AH.N poor:P.UH1.R cool:K.UW1.L blue:B.L.UW1 brown:B.R.AW1.N
adjective beautiful:B.Y.UW1.T.AH.F.AH.L famous:F.EY1.M.AH.S clear:K.L.IH1.R full:F.UH1.L special:S.P.EH1.SH.AH.L
adverb really:R.IH1.L.IY never:N.EH1.V.ER always:AO1.L.W.EY.Z often:AO1.F.AH.N maybe:M.EY1.B.IY soon:S.UW1.N
adverb finally:F.AY1.N.AH.L.IY probably:P.R.AA1.B.AH.B.L.IY only:OW1.N.L.IY almost:AO1.L.M.OW.S.T simply:S.IH1.M.P.L.IY
adverb together:T.AH.G.EH1.DH.ER now:N.AW1 still:S.T.IH1.L today:T.AH.D.EY1 again:AH.G.EH1.N suddenly:S.AH1.D.AH.N.L.IY
preposition of:AH.V in:IH.N to:T.UW for:F.ER on:AA.N with:W.IH.DH at:AE.T by:B.AY from:F.R.AH.M about:AH.B.AW1.T
preposition into:IH.N.T.UW through:TH.R.UW1 after:AE1.F.T.ER over:OW1.V.ER between:B.IH.T.W.IY1.N under:AH1.N.D.ER
preposition before:B.IH.F.AO1.R without:W.IH.TH.AW1.T
conjunction and:AE.N.D but:B.AH.T so:S.OW or:AO.R because:B.IH.K.AO1.Z when:W.EH.N while:W.AY.L if:IH.F
contraction don't:D.OW1.N.T can't:K.AE1.N.T didn't:D.IH1.D.AH.N.T couldn't:K.UH1.D.AH.N.T won't:W.OW1.N.T
infinitive see:S.IY1 believe:B.IH.L.IY1.V move:M.UW1.V help:HH.EH1.L.P find:F.AY1.N.D make:M.EY1.K show:SH.OW1
infinitive put:P.UH1.T bring:B.R.IH1.NG begin:B.IH.G.IH1.N open:OW1.P.AH.N stop:S.T.AA1.P watch:W.AA1.CH
"""


@dataclass(frozen=True)
class Word:
    """A word as it is written and spoken."""

    text: str
    """Lower-case letters and the apostrophe."""
    phones: tuple[str, ...]
    """ARPAbet-like, without stress marks."""
    stressed: int
    """Index of the phone that carries the word's stress; -1 for a function word, which carries none."""


@cache
def vocabulary() -> dict[str, tuple[Word, ...]]:
    """Word class -> its words, in the table's order."""
    classes: dict[str, list[Word]] = {}
    for line in _TABLE.strip().splitlines():
        kind, *entries = line.split()
        for entry in entries:
            text, _, spoken = entry.partition(":")
            marked = spoken.split(".")
            stressed = next((i for i, phone in enumerate(marked) if phone.endswith("1")), -1)
            phones = tuple(re.sub(r"1$", "", phone) for phone in marked)
            classes.setdefault(kind, []).append(Word(text, phones, stressed))
    return {kind: tuple(words) for kind, words in classes.items()}


def clause(rng: np.random.Generator) -> tuple[Word, ...]:
    """A clause of 3 to 12 words: subject, verb, object and, at times, an adverb and a place."""
    words = vocabulary()

    def pick(kind: str) -> Word:
        return words[kind][rng.integers(len(words[kind]))]

    def noun_phrase() -> list[Word]:
        middle = [pick("adjective")] if rng.random() < 0.4 else []
        return [pick("determiner"), *middle, pick("noun")]

    subject = [pick("pronoun")] if rng.random() < 0.5 else noun_phrase()
    adverb = [pick("adverb")] if rng.random() < 0.25 else []
    verb = [pick("contraction"), pick("infinitive")] if rng.random() < 0.15 else [pick("verb")]
    place = [pick("preposition"), *noun_phrase()] if rng.random() < 0.35 else []
    return (*subject, *adverb, *verb, *noun_phrase(), *place)


def sentence(rng: np.random.Generator) -> tuple[tuple[Word, ...], ...]:
    """One or two clauses; each is a phrase with a pause behind it."""
    first = clause(rng)
    if rng.random() < 0.4:
        conjunctions = vocabulary()["conjunction"]
        return first, (conjunctions[rng.integers(len(conjunctions))], *clause(rng))
    return (first,)
