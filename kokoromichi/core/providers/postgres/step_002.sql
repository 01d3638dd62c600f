-- Step 2: what each kind has moved on each day, without a row that every commit would have to share. A commit
-- leaves what it moved in a queue, which is folded in the background; a reader adds what still waits there.

CREATE TABLE daily_totals (
    day      int NOT NULL,                    -- UTC day, counted from the epoch.
    kind     text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,       -- '' where only items have moved.
    rows     bigint NOT NULL,
    gained   numeric NOT NULL,
    lost     numeric NOT NULL,
    PRIMARY KEY (day, kind, currency)
);
CREATE TABLE active_players (
    day     int NOT NULL,
    user_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (day, user_id)
);
CREATE INDEX active_players_user ON active_players (user_id);
CREATE TABLE active_days (
    day     int PRIMARY KEY,
    players bigint NOT NULL
);
CREATE TABLE unfolded (
    day      int NOT NULL,
    kind     text COLLATE "C" NOT NULL,
    currency text COLLATE "C" NOT NULL,
    amount   bigint NOT NULL,
    user_id  text COLLATE "C" NOT NULL
);

-- By a trigger, so that no way of writing a row can forget it, an older program's that still runs included.
CREATE FUNCTION queue_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unfolded
        SELECT floor(extract(epoch FROM at) / 86400)::int, kind, coalesce(currency, ''), coalesce(amount, 0), user_id
        FROM added;
    RETURN NULL;
END
$$;
CREATE TRIGGER ledger_is_folded AFTER INSERT ON ledger
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION queue_moved();

-- Folds at most so many rows of the queue; answers how many. One process at a time: the others have nothing to do.
CREATE FUNCTION fold_moved(most int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    folded bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(x'4B6F4D6A'::int, hashtext(current_schema())) THEN
        RETURN 0;
    END IF;
    WITH gone AS (
        DELETE FROM unfolded WHERE ctid = ANY (ARRAY(SELECT ctid FROM unfolded LIMIT most)) RETURNING *
    ), totals AS (
        INSERT INTO daily_totals AS t
            SELECT day, kind, currency, count(*), sum(greatest(amount, 0)), -sum(least(amount, 0))
            FROM gone GROUP BY day, kind, currency
            ON CONFLICT (day, kind, currency) DO UPDATE SET rows = t.rows + excluded.rows,
                gained = t.gained + excluded.gained, lost = t.lost + excluded.lost
    ), seen AS (
        INSERT INTO active_players SELECT DISTINCT day, user_id FROM gone WHERE user_id <> 'system'
            ON CONFLICT DO NOTHING RETURNING day
    ), days AS (
        INSERT INTO active_days AS d SELECT day, count(*) FROM seen GROUP BY day
            ON CONFLICT (day) DO UPDATE SET players = d.players + excluded.players
    )
    SELECT count(*) INTO folded FROM gone;
    RETURN folded;
END
$$;

-- The ledger as it is: no row is added meanwhile, since a trigger is made under a lock that is kept to the end.
DO $$
DECLARE
    book  regclass;
    moved bigint;
BEGIN
    FOR book IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'ledger'::regclass ORDER BY 1 LOOP
        EXECUTE format($fold$
            INSERT INTO daily_totals
                SELECT floor(extract(epoch FROM at) / 86400)::int, kind, coalesce(currency, ''), count(*),
                    sum(greatest(coalesce(amount, 0), 0)), -sum(least(coalesce(amount, 0), 0))
                FROM %1$s GROUP BY 1, 2, 3
                ON CONFLICT (day, kind, currency) DO UPDATE SET rows = daily_totals.rows + excluded.rows,
                    gained = daily_totals.gained + excluded.gained, lost = daily_totals.lost + excluded.lost
            $fold$, book);
        EXECUTE format($fold$
            INSERT INTO active_players
                SELECT DISTINCT floor(extract(epoch FROM at) / 86400)::int, user_id FROM %1$s WHERE user_id <> 'system'
                ON CONFLICT DO NOTHING
            $fold$, book);
        SELECT coalesce(sum(rows), 0) INTO moved FROM daily_totals;
        RAISE NOTICE 'existing ledger: % is added up, % rows so far', book, moved;
    END LOOP;
    INSERT INTO active_days SELECT day, count(*) FROM active_players GROUP BY day;
END
$$;
