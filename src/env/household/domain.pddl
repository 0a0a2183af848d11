; What can be done in the house. One player; where it stands is `at`, the room around it `here`.
; Preconditions leave out what would change nothing (opening what is open, cleaning what is clean), so that lists of commands stay short.
(define (domain household)
  (:requirements :strips :typing :negative-preconditions)

  (:types
    place
    room receptacle - place
    item
  )

  (:predicates
    (at ?p - place)                     ; where the player stands: before a receptacle, or in the middle of a room
    (here ?m - room)                    ; the room of that place
    (stands ?r - receptacle ?m - room)
    (openable ?r - receptacle)
    (open ?r - receptacle)              ; one can see and reach into it; true of all that is neither openable nor a lamp
    (lamp ?r - receptacle)
    (lit ?r - receptacle)
    (in ?i - item ?r - receptacle)
    (fits ?i - item ?r - receptacle)
    (free)                              ; the hands are
    (holds ?i - item)
    (washes ?r - receptacle)
    (heats ?r - receptacle)
    (cools ?r - receptacle)
    (cleanable ?i - item)
    (heatable ?i - item)
    (coolable ?i - item)
    (clean ?i - item)
    (hot ?i - item)
    (cold ?i - item)
    (door ?m - room ?n - room)
    (noticed)                           ; an effect for those actions that have no other
  )

  (:action goto
    :parameters (?from - place ?r - receptacle ?m - room)
    :precondition (and (at ?from) (here ?m) (stands ?r ?m) (not (at ?r)))
    :effect (and (not (at ?from)) (at ?r)))

  (:action enter
    :parameters (?from - place ?m - room ?n - room)
    :precondition (and (at ?from) (here ?m) (door ?m ?n))
    :effect (and (not (at ?from)) (not (here ?m)) (at ?n) (here ?n)))

  (:action open
    :parameters (?r - receptacle)
    :precondition (and (at ?r) (openable ?r) (not (open ?r)))
    :effect (open ?r))

  (:action close
    :parameters (?r - receptacle)
    :precondition (and (at ?r) (openable ?r) (open ?r))
    :effect (not (open ?r)))

  (:action take
    :parameters (?i - item ?r - receptacle)
    :precondition (and (at ?r) (open ?r) (in ?i ?r) (free))
    :effect (and (not (in ?i ?r)) (not (free)) (holds ?i)))

  (:action put
    :parameters (?i - item ?r - receptacle)
    :precondition (and (at ?r) (open ?r) (holds ?i) (fits ?i ?r))
    :effect (and (in ?i ?r) (free) (not (holds ?i))))

  (:action clean
    :parameters (?i - item ?r - receptacle)
    :precondition (and (at ?r) (washes ?r) (holds ?i) (cleanable ?i) (not (clean ?i)))
    :effect (clean ?i))

  (:action heat
    :parameters (?i - item ?r - receptacle)
    :precondition (and (at ?r) (heats ?r) (holds ?i) (heatable ?i) (not (hot ?i)))
    :effect (and (hot ?i) (not (cold ?i))))

  (:action cool
    :parameters (?i - item ?r - receptacle)
    :precondition (and (at ?r) (cools ?r) (holds ?i) (coolable ?i) (not (cold ?i)))
    :effect (and (cold ?i) (not (hot ?i))))

  (:action turnon
    :parameters (?r - receptacle)
    :precondition (and (at ?r) (lamp ?r) (not (lit ?r)))
    :effect (lit ?r))

  (:action turnoff
    :parameters (?r - receptacle)
    :precondition (and (at ?r) (lamp ?r) (lit ?r))
    :effect (not (lit ?r)))

  (:action look
    :parameters ()
    :precondition ()
    :effect (noticed))

  (:action inventory
    :parameters ()
    :precondition ()
    :effect (noticed))
)
