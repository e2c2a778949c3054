"""What a person's word is answered with."""

from __future__ import annotations

SENTENCES: dict[str, tuple[str, str]] = {
    "muted": ("{what} silenciado {for}", "{what} muted for {for}"),
    "unmuted": ("de nuevo con avisos: {what}", "heard again: {what}"),
    "nothing_muted": ("nada de eso está silenciado", "nothing of that is muted"),
    "no_such_alert": ("no hay ninguna incidencia {id}", "there is no incident {id}"),
    "alert_sent": ("{to}: enviado", "{to}: sent"),
    "alert_not_sent": ("{to}: no enviado ({why})", "{to}: not sent ({why})"),
    "no_pause_of_nothing": ("una pausa dura más de 0 s", "a pause lasts more than 0 s"),
    "said_ack": ("{id}: {by} está al tanto", "{id}: acknowledged by {by}"),
    "said_resolve": ("{id}: cerrado por {by}", "{id}: closed by {by}"),
    "said_retry": (
        "{id}: se intenta de nuevo desde el primer paso",
        "{id}: tried again from its first step",
    ),
    "said_retry_paused": (
        "{id}: se intentará de nuevo cuando acabe la pausa (vigia resume)",
        "{id}: will be tried again when the pause ends (vigia resume)",
    ),
    "already_acked": ("{id}: {by} ya está al tanto", "{id}: {by} has acknowledged it already"),
    "already_closed": ("{id}: ya está cerrado ({why})", "{id}: is closed already ({why})"),
    "already_retried": (
        "{id}: {by} ya pidió que se intente de nuevo",
        "{id}: {by} has already had it tried again",
    ),
    "is_closed": ("{id}: está cerrado ({why})", "{id}: is closed ({why})"),
    "is_at_work": (
        "{id}: se está reparando ahora mismo; repite la orden cuando termine el intento",
        "{id}: is being repaired right now; say it again when the attempt has ended",
    ),
    "no_ladder": (
        "{id}: nada nuestro repara {category}; hazlo a mano y usa: vigia incidents resolve {id}",
        "{id}: nothing of ours repairs {category}; mend it, then: vigia incidents resolve {id}",
    ),
    "no_such_incident": ("no hay ningún incidente {id}", "there is no incident {id}"),
    "not_an_incident": (
        "{id!r} no es un incidente: INC-12 o 12",
        "{id!r} is no incident: INC-12 or 12",
    ),
    "no_ids": ("¿qué incidente? INC-12 o 12", "which incident? INC-12 or 12"),
    "not_written_down": (
        "hecho, pero no se puede guardar ahora ({why}); se guardará en cuanto se pueda",
        "done, but it cannot be written down now ({why}); it will be as soon as that is possible",
    ),
    "pause_begun": (
        "Reparaciones en pausa hasta {until}; se sigue vigilando y anotando",
        "Repairs paused until {until}; watching and recording go on",
    ),
    "pause_at_work": (
        "{ids}: el intento en curso llegará a su fin",
        "{ids}: the attempt under way comes to its end",
    ),
    "pause_ended": ("Reparaciones reanudadas", "Repairs go on"),
    "was_not_paused": ("No había ninguna pausa", "There was no pause"),
}
