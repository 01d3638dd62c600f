-- Step 1: the tables, and the one function through which every change is stored.
-- Names are sorted and compared byte by byte, as Python does it.

CREATE TABLE users (
    user_id    text COLLATE "C" PRIMARY KEY,
    version    bigint NOT NULL DEFAULT 0 CHECK (version >= 0),
    gold       bigint NOT NULL DEFAULT 0 CHECK (gold >= 0),
    gems       bigint NOT NULL DEFAULT 0 CHECK (gems >= 0),
    inventory  jsonb  NOT NULL DEFAULT '{}',
    fields     jsonb  NOT NULL DEFAULT '{}',  -- What UserProfile knows beside the columns.
    unknown    jsonb  NOT NULL DEFAULT '{}',  -- What a document had and UserProfile does not know.
    stamped_us bigint NOT NULL DEFAULT 0      -- Time part of the player's newest entry_id: it never runs back.
) WITH (fillfactor = 80);

CREATE TABLE game_data (
    section  text COLLATE "C" PRIMARY KEY,
    document jsonb NOT NULL
);

CREATE TABLE counters (
    name  text COLLATE "C" PRIMARY KEY,
    value bigint NOT NULL CHECK (value >= 0)
) WITH (fillfactor = 50);

CREATE TABLE requests (
    request_id text COLLATE "C" PRIMARY KEY,
    digest     text NOT NULL,
    answer     jsonb,  -- Null: not remembered any more, or the id was made up and nobody can ask for it.
    at         timestamptz NOT NULL
);
CREATE INDEX requests_at ON requests USING brin (at);

CREATE SEQUENCE ledger_tx;

CREATE TABLE ledger (
    entry_id      text COLLATE "C" NOT NULL,
    tx_id         text NOT NULL,
    at            timestamptz NOT NULL,
    book          text COLLATE "C" NOT NULL,
    kind          text NOT NULL,
    user_id       text COLLATE "C" NOT NULL,
    currency      text,
    amount        bigint,
    balance_after bigint,
    item_id       text,
    quantity      bigint,
    counterparty  text,
    actor         text NOT NULL,
    request_id    text NOT NULL,
    reason        text,
    PRIMARY KEY (entry_id, book)
) PARTITION BY LIST (book);
CREATE INDEX ledger_user ON ledger (user_id, entry_id);

CREATE TABLE observations (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream text NOT NULL,
    seen   jsonb NOT NULL
);

-- Stores one change whole, or raises and stores nothing. It knows no price and no limit.
--   KM001 another version, or a counter that should not be there; KM002 a counter's floor (the detail says
--   which, and what is left); KM003 the request id was used for another act; KM004 a row that does not fit.
-- Answers null for a change that was stored, and the remembered answer for an id that came again.
CREATE FUNCTION apply_change(change jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    asked_id CONSTANT text := change->>'request';
    at_us    CONSTANT bigint := change->>'at_us';
    moment   CONSTANT timestamptz := to_timestamp(at_us / 1000000) + (at_us % 1000000) * interval '1 microsecond';
    stamp_us bigint := at_us;
    tx       bigint;
    prefix   text;
    place    int := 0;
    known    record;
    changed  record;
    held     record;
    moved    record;
    counter  record;
    units    bigint;
BEGIN
    -- The second of two equal ids waits here for the first one's fate.
    INSERT INTO requests VALUES (asked_id, change->>'digest', change->'answer', moment) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT digest, answer INTO known FROM requests WHERE request_id = asked_id;
        IF known.digest <> change->>'digest' OR (known.answer IS NULL AND asked_id NOT LIKE '~%') THEN
            RAISE EXCEPTION 'request id % was already used', asked_id USING ERRCODE = 'KM003';
        END IF;
        RETURN coalesce(known.answer::text, '');
    END IF;

    IF jsonb_array_length(change->'users') > 1 THEN  -- Locked in one order for everybody.
        INSERT INTO users (user_id)
            SELECT id FROM jsonb_to_recordset(change->'users') AS t(id text, version bigint)
            WHERE version = 0 ORDER BY id COLLATE "C"
            ON CONFLICT DO NOTHING;
        SELECT greatest(max(stamped_us), stamp_us) INTO stamp_us FROM (
            SELECT stamped_us FROM users
            WHERE user_id = ANY (SELECT value->>'id' FROM jsonb_array_elements(change->'users'))
            ORDER BY user_id FOR NO KEY UPDATE
        ) AS locked;
    END IF;
    FOR changed IN
        SELECT * FROM jsonb_to_recordset(change->'users')
            AS t(id text, version bigint, rows jsonb, fields jsonb, unknown jsonb)
    LOOP
        IF changed.version = 0 THEN
            INSERT INTO users (user_id) VALUES (changed.id) ON CONFLICT DO NOTHING;
        END IF;
        SELECT version, gold, gems, inventory, stamped_us INTO held
            FROM users WHERE user_id = changed.id FOR NO KEY UPDATE;
        IF held.version IS DISTINCT FROM changed.version THEN
            RAISE EXCEPTION 'player % has version %, not %', changed.id, coalesce(held.version, 0), changed.version
                USING ERRCODE = 'KM001';
        END IF;
        stamp_us := greatest(stamp_us, held.stamped_us);
        IF tx IS NULL THEN  -- Only now: the rows of one player are numbered in the order of their locks.
            tx := nextval('ledger_tx');
        END IF;
        prefix := lpad(stamp_us::text, 16, '0') || '-' || lpad(tx::text, 12, '0');
        FOR moved IN
            SELECT * FROM jsonb_to_recordset(changed.rows) AS t(
                book text, kind text, currency text, amount bigint, after bigint, item text, quantity bigint, other text)
        LOOP
            units := 0;
            IF moved.item IS NOT NULL THEN
                units := coalesce((held.inventory->>moved.item)::bigint, 0) + moved.quantity;
            END IF;
            IF units < 0 OR moved.after < 0 OR (moved.currency = 'gold' AND held.gold + moved.amount <> moved.after)
                OR (moved.currency = 'gems' AND held.gems + moved.amount <> moved.after)
                OR moved.currency NOT IN ('gold', 'gems')
            THEN
                RAISE EXCEPTION 'a % row of player % does not fit: % % % is not %, or % % is more than is held',
                    moved.kind, changed.id, coalesce(moved.currency, 'None'),
                    CASE moved.currency WHEN 'gold' THEN held.gold WHEN 'gems' THEN held.gems ELSE 0 END,
                    CASE WHEN moved.amount < 0 THEN '' ELSE '+' END || moved.amount, moved.after,
                    coalesce(moved.item, 'None'), CASE WHEN moved.quantity < 0 THEN '' ELSE '+' END || moved.quantity
                    USING ERRCODE = 'KM004';
            END IF;
            IF moved.currency = 'gold' THEN
                held.gold := moved.after;
            ELSIF moved.currency = 'gems' THEN
                held.gems := moved.after;
            END IF;
            IF moved.item IS NOT NULL THEN
                IF units = 0 THEN
                    held.inventory := held.inventory - moved.item;
                ELSE
                    held.inventory := held.inventory || jsonb_build_object(moved.item, units);
                END IF;
            END IF;
            INSERT INTO ledger VALUES (
                prefix || '-' || lpad(place::text, 6, '0'), lpad(tx::text, 12, '0'), moment, moved.book, moved.kind,
                changed.id, moved.currency, CASE WHEN moved.currency IS NOT NULL THEN moved.amount END,
                CASE WHEN moved.currency IS NOT NULL THEN moved.after END, moved.item,
                CASE WHEN moved.item IS NOT NULL THEN moved.quantity END, moved.other,
                change->>'actor', asked_id, change->>'reason');
            place := place + 1;
        END LOOP;
        UPDATE users SET
            version = held.version + 1, gold = held.gold, gems = held.gems, inventory = held.inventory,
            fields = CASE WHEN changed.fields IS NULL THEN fields ELSE fields || changed.fields END,
            unknown = CASE WHEN changed.unknown IS NULL THEN unknown ELSE unknown || changed.unknown END,
            stamped_us = stamp_us
            WHERE user_id = changed.id;
    END LOOP;

    IF change ? 'system' THEN
        IF tx IS NULL THEN
            tx := nextval('ledger_tx');
        END IF;
        prefix := lpad(stamp_us::text, 16, '0') || '-' || lpad(tx::text, 12, '0');
        FOR moved IN
            SELECT * FROM jsonb_to_recordset(change->'system') AS t(book text, kind text, item text, quantity bigint)
        LOOP
            INSERT INTO ledger VALUES (
                prefix || '-' || lpad(place::text, 6, '0'), lpad(tx::text, 12, '0'), moment, moved.book, moved.kind,
                'system', NULL, NULL, NULL, moved.item, CASE WHEN moved.item IS NOT NULL THEN moved.quantity END,
                NULL, change->>'actor', asked_id, change->>'reason');
            place := place + 1;
        END LOOP;
    END IF;
    IF place > 999999 THEN
        RAISE EXCEPTION 'a change has at most 999999 rows, not %', place USING ERRCODE = 'KM004';
    END IF;

    -- Last, since a popular item's counter is locked from here to the end of the commit.
    FOR counter IN
        SELECT * FROM jsonb_to_recordset(change->'counters') AS t(name text, delta bigint, creates boolean)
    LOOP
        IF counter.creates THEN
            IF counter.delta < 0 THEN
                RAISE EXCEPTION 'counter % has only 0 left', counter.name USING ERRCODE = 'KM002',
                    DETAIL = jsonb_build_object('counter', counter.name, 'available', 0);
            END IF;
            INSERT INTO counters VALUES (counter.name, counter.delta) ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'counter % exists already', counter.name USING ERRCODE = 'KM001';
            END IF;
        ELSE
            UPDATE counters SET value = value + counter.delta
                WHERE name = counter.name AND value + counter.delta >= 0;
            IF NOT FOUND THEN
                SELECT value INTO units FROM counters WHERE name = counter.name;
                IF NOT FOUND THEN
                    RAISE EXCEPTION 'counter % does not exist', counter.name USING ERRCODE = 'KM001';
                END IF;
                RAISE EXCEPTION 'counter % has only % left', counter.name, units USING ERRCODE = 'KM002',
                    DETAIL = jsonb_build_object('counter', counter.name, 'available', units);
            END IF;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;

-- Stores many changes in one call, each in its own subtransaction and with its own outcome: [answer], or
-- [null, SQLSTATE, message, detail] of one that was not stored. What waits longer for a lock than a batch should
-- is given back (55P03), to be sent alone.
CREATE FUNCTION apply_changes(changes jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    change   jsonb;
    answer   text;
    code     text;
    said     text;
    detail   text;
    outcomes jsonb[] := '{}';
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true);
    FOR change IN SELECT value FROM jsonb_array_elements(changes) LOOP
        BEGIN
            answer := apply_change(change);
            outcomes := array_append(outcomes, jsonb_build_array(answer));
        EXCEPTION
            WHEN SQLSTATE 'KM001' OR SQLSTATE 'KM002' OR SQLSTATE 'KM003' OR SQLSTATE 'KM004'
                OR data_exception OR integrity_constraint_violation OR lock_not_available THEN
            GET STACKED DIAGNOSTICS
                code = RETURNED_SQLSTATE, said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
            outcomes := array_append(outcomes, jsonb_build_array(NULL, code, said, detail));
        END;
    END LOOP;
    RETURN to_jsonb(outcomes)::text;
END
$$;
