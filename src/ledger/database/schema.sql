-- The schema of ledgers in a database, PostgreSQL 13 or newer. Its owner runs this once:
--
--     ccgate ledger schema | psql --set ON_ERROR_STOP=1 --dbname DATABASE
--
-- Two kinds of roles:
--
-- 1. The owner, who runs this. He can switch the triggers off, so he is nobody whom the gate judges, and no job has his password.
-- 2. A login for each gate and one for each auditor. It may execute functions and nothing else, and only on ledgers that it was let in to:
--
--        CREATE ROLE payments_gate LOGIN PASSWORD '…';
--        SELECT ccgate.admit('payments', 'payments_gate', true);
--
--    The ledger is then `postgres://HOST/DATABASE#payments`. `false` instead of `true` lets somebody read and not append.

BEGIN;

CREATE SCHEMA ccgate;

-- Who may do what with which ledger. It is nobody's who is not named here.
CREATE TABLE ccgate.grants (
    log text COLLATE "C" NOT NULL CHECK (log ~ '^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$'),
    login name NOT NULL,
    may_append boolean NOT NULL,
    PRIMARY KEY (log, login)
);

-- The newest checkpoint, the keys that signed, and the row that writers queue for.
CREATE TABLE ccgate.head (
    log text COLLATE "C" PRIMARY KEY,
    size bigint NOT NULL CHECK (size >= 0),
    checkpoint bytea,
    signers bytea
);

-- Every checkpoint that ever was the newest.
CREATE TABLE ccgate.checkpoints (
    log text COLLATE "C" NOT NULL,
    size bigint NOT NULL CHECK (size > 0),
    checkpoint bytea NOT NULL,
    PRIMARY KEY (log, size)
);

-- All other files. `since` is the size of the log with which the file came.
CREATE TABLE ccgate.files (
    log text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    bytes bytea NOT NULL,
    since bigint NOT NULL CHECK (since > 0),
    PRIMARY KEY (log, path)
);
-- Bytes are compared and cut, not searched: kept as they are.
ALTER TABLE ccgate.files ALTER COLUMN bytes SET STORAGE EXTERNAL;
-- The right edge of the tree: what every append reads.
CREATE INDEX files_edge ON ccgate.files (log) WHERE path LIKE 'log/tile/%.p/%';

-- What no statement may do, whoever runs it. Only the owner or a superuser can take a trigger away.

CREATE FUNCTION ccgate.refuse() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'a ledger only grows: % on ccgate.% is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;

-- A partial tile goes when a longer one that begins with its bytes is there: nothing is lost with it.
CREATE FUNCTION ccgate.refuse_removal() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stem text COLLATE "C" := substring(OLD.path FROM '^(log/tile/.+)\.p/[0-9]{1,3}$');
BEGIN
    IF stem IS NOT NULL AND EXISTS (
        SELECT FROM ccgate.files AS longer
        WHERE longer.log = OLD.log
            -- '0' is the character after '/'.
            AND (longer.path = stem OR longer.path > stem || '.p/' AND longer.path < stem || '.p0')
            AND octet_length(longer.bytes) > octet_length(OLD.bytes)
            AND substring(longer.bytes FROM 1 FOR octet_length(OLD.bytes)) = OLD.bytes
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'a ledger only grows: the removal of % is refused', OLD.path USING ERRCODE = 'insufficient_privilege';
END $$;

CREATE FUNCTION ccgate.refuse_going_back() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.log <> OLD.log
        OR NEW.size <= OLD.size
        OR NEW.checkpoint IS NULL
        OR NEW.signers IS NULL AND OLD.signers IS NOT NULL
        OR substring(NEW.signers FROM 1 FOR octet_length(OLD.signers)) <> OLD.signers
        OR substring(NEW.checkpoint FROM 1 FOR position('\x0a'::bytea IN OLD.checkpoint)) <> substring(OLD.checkpoint FROM 1 FOR position('\x0a'::bytea IN OLD.checkpoint))
    THEN
        RAISE EXCEPTION 'a ledger only grows: going back from % to % records is refused', OLD.size, NEW.size USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER no_update BEFORE UPDATE ON ccgate.files FOR EACH ROW EXECUTE FUNCTION ccgate.refuse();
CREATE TRIGGER no_removal BEFORE DELETE ON ccgate.files FOR EACH ROW EXECUTE FUNCTION ccgate.refuse_removal();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ccgate.files FOR EACH STATEMENT EXECUTE FUNCTION ccgate.refuse();
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON ccgate.checkpoints FOR EACH ROW EXECUTE FUNCTION ccgate.refuse();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ccgate.checkpoints FOR EACH STATEMENT EXECUTE FUNCTION ccgate.refuse();
CREATE TRIGGER no_going_back BEFORE UPDATE ON ccgate.head FOR EACH ROW EXECUTE FUNCTION ccgate.refuse_going_back();
CREATE TRIGGER no_removal BEFORE DELETE ON ccgate.head FOR EACH ROW EXECUTE FUNCTION ccgate.refuse();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON ccgate.head FOR EACH STATEMENT EXECUTE FUNCTION ccgate.refuse();
-- In sessions that replay a replica's changes as well.
ALTER TABLE ccgate.files ENABLE ALWAYS TRIGGER no_update, ENABLE ALWAYS TRIGGER no_removal, ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE ccgate.checkpoints ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_truncate;
ALTER TABLE ccgate.head ENABLE ALWAYS TRIGGER no_going_back, ENABLE ALWAYS TRIGGER no_removal, ENABLE ALWAYS TRIGGER no_truncate;

-- Ends the statement where the one who logged in was not let in. `SET ROLE` makes nobody somebody else here.
CREATE FUNCTION ccgate.demand(ledger text, to_append boolean) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM ccgate.grants AS g
        WHERE g.log = ledger AND g.login = session_user AND (g.may_append OR NOT to_append)
    ) THEN
        RAISE EXCEPTION 'the ledger % is not open to %; its owner opens it with: SELECT ccgate.admit(%, %, %)',
            quote_literal(ledger), session_user, quote_literal(ledger), quote_literal(session_user), to_append::text
            USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;

-- What is told to be sealed is on the disk.
CREATE FUNCTION ccgate.demand_durability() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF current_setting('fsync') <> 'on' THEN
        RAISE EXCEPTION 'the server does not write through to its disk (fsync is off), so no record would be safe in it';
    END IF;
    IF current_setting('synchronous_commit') = 'off' THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;
END $$;

-- The right edge at one moment: the newest checkpoint and all files that an append may replace or remove.
CREATE FUNCTION ccgate.edge(ledger text) RETURNS TABLE (name text, contents bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ccgate.demand(ledger, false);
    RETURN QUERY
        SELECT 'log/checkpoint', h.checkpoint FROM ccgate.head AS h WHERE h.log = ledger AND h.size > 0
        UNION ALL
        SELECT 'keys/allowed_signers', h.signers FROM ccgate.head AS h WHERE h.log = ledger AND h.signers IS NOT NULL
        UNION ALL
        SELECT f.path, f.bytes FROM ccgate.files AS f WHERE f.log = ledger AND f.path = 'FORMAT'
        UNION ALL
        SELECT f.path, f.bytes FROM ccgate.files AS f WHERE f.log = ledger AND f.path LIKE 'log/tile/%.p/%';
END $$;

-- One file of the log of a size, or nothing.
CREATE FUNCTION ccgate.file(ledger text, name text, at_size bigint) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ccgate.demand(ledger, false);
    RETURN (SELECT f.bytes FROM ccgate.files AS f WHERE f.log = ledger AND f.path = name AND f.since <= at_size);
END $$;

-- Names of all files below a folder in the log of a size.
CREATE FUNCTION ccgate.names(ledger text, folder text, at_size bigint) RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ccgate.demand(ledger, false);
    RETURN QUERY SELECT f.path FROM ccgate.files AS f
        WHERE f.log = ledger AND f.since <= at_size AND (folder = '' OR f.path > folder || '/' AND f.path < folder || '0');
END $$;

-- The next files in the order of their names: at most 256, and of about 8 MB.
CREATE FUNCTION ccgate.files_after(ledger text, after text) RETURNS TABLE (name text, contents bytea, came_with bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ccgate.demand(ledger, false);
    RETURN QUERY
        SELECT s.path, s.bytes, s.since FROM (
            SELECT f.path, f.bytes, f.since, sum(octet_length(f.bytes)) OVER before AS total
            FROM (SELECT * FROM ccgate.files AS a WHERE a.log = ledger AND a.path > after ORDER BY a.path LIMIT 256) AS f
            WINDOW before AS (ORDER BY f.path ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        ) AS s
        WHERE coalesce(s.total, 0) <= 8000000
        ORDER BY s.path;
END $$;

-- The next of all checkpoints that ever were the newest, at most 1000.
CREATE FUNCTION ccgate.checkpoints_after(ledger text, after bigint) RETURNS TABLE (of_size bigint, contents bytea)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ccgate.demand(ledger, false);
    RETURN QUERY SELECT c.size, c.checkpoint FROM ccgate.checkpoints AS c
        WHERE c.log = ledger AND c.size > after ORDER BY c.size LIMIT 1000;
END $$;

-- Waits until nobody else appends. From then on nobody does, until the transaction ends.
CREATE FUNCTION ccgate.take_turn(ledger text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM ccgate.demand(ledger, true);
    INSERT INTO ccgate.head (log, size) VALUES (ledger, 0) ON CONFLICT DO NOTHING;
    PERFORM FROM ccgate.head AS h WHERE h.log = ledger FOR UPDATE;
END $$;

-- Extends a ledger from `made_for` records to as many as the checkpoint says: whole or not at all. False: it does not hold
-- `made_for` records any more; look again.
CREATE FUNCTION ccgate.append(
    ledger text, made_for bigint, new_checkpoint bytea, new_signers bytea, names text[], contents bytea[], superseded text[]
) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lines text[] := string_to_array(convert_from(new_checkpoint, 'UTF8'), E'\n');
    new_size bigint;
    before ccgate.head;
    wrong text;
BEGIN
    PERFORM ccgate.demand(ledger, true);
    PERFORM ccgate.demand_durability();
    -- What is null is not true.
    IF (lines[1] <> '' AND lines[2] ~ '^[1-9][0-9]{0,17}$' AND lines[3] ~ '^[A-Za-z0-9+/]{43}=$' AND cardinality(lines) > 3) IS NOT TRUE THEN
        RAISE EXCEPTION 'that is no checkpoint';
    END IF;
    new_size := lines[2]::bigint;
    IF (made_for >= 0 AND new_size > made_for) IS NOT TRUE THEN
        RAISE EXCEPTION 'an append from % to % records does not grow', made_for, new_size;
    END IF;
    IF made_for = 0 THEN
        INSERT INTO ccgate.head (log, size) VALUES (ledger, 0) ON CONFLICT DO NOTHING;
    END IF;
    -- From here on nobody else appends until this has ended.
    SELECT * INTO before FROM ccgate.head AS h WHERE h.log = ledger FOR UPDATE;
    IF before.size IS DISTINCT FROM made_for THEN
        RETURN false;
    END IF;
    IF made_for = 0 AND (
        EXISTS (SELECT FROM ccgate.files AS f WHERE f.log = ledger) OR EXISTS (SELECT FROM ccgate.checkpoints AS c WHERE c.log = ledger)
    ) THEN
        RAISE EXCEPTION 'the ledger has files but no checkpoint, so its head was taken away; its owner has to restore it';
    END IF;
    IF (cardinality(names) = cardinality(contents) AND array_position(contents, NULL) IS NULL) IS NOT TRUE THEN
        RAISE EXCEPTION 'there are % names for % files', cardinality(names), cardinality(contents);
    END IF;
    SELECT n.name INTO wrong FROM unnest(names) AS n (name)
    WHERE (n.name ~ '^(FORMAT|log/tile/(entries|[0-9]{1,2})/(x[0-9]{3}/)*[0-9]{3}(\.p/[0-9]{1,3})?|records/[0-9]{4}/[0-9]{2}/rec_[0-9a-f]{32}\.json|blobs/[0-9a-f]{64})$'
        OR n.name IN ('anchors/' || new_size || '.note', 'anchors/' || new_size || '.sig')) IS NOT TRUE
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'no append writes %', coalesce(quote_literal(wrong), 'a file without a name');
    END IF;
    SELECT f.path INTO wrong FROM ccgate.files AS f WHERE f.log = ledger AND f.path = ANY (names) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION '% is there already, and nothing is replaced', wrong;
    END IF;
    INSERT INTO ccgate.files (log, path, bytes, since)
        SELECT ledger, n.name, n.bytes, new_size FROM unnest(names, contents) AS n (name, bytes);
    -- The trigger looks whether each of them is superseded indeed.
    DELETE FROM ccgate.files AS f WHERE f.log = ledger AND f.path = ANY (superseded);
    INSERT INTO ccgate.checkpoints (log, size, checkpoint) VALUES (ledger, new_size, new_checkpoint);
    -- And here, that origin and signers stay what they were.
    UPDATE ccgate.head AS h SET size = new_size, checkpoint = new_checkpoint, signers = coalesce(new_signers, h.signers)
        WHERE h.log = ledger;
    RETURN true;
END $$;

-- Keeps what vouches for a note beside it. False: there is one of its kind.
CREATE FUNCTION ccgate.keep_beside(ledger text, of_size bigint, kind text, content bytea) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    newest bigint;
BEGIN
    PERFORM ccgate.demand(ledger, true);
    PERFORM ccgate.demand_durability();
    -- Whoever may execute this by mistake leaves no file there that nobody knows.
    IF kind NOT IN ('tsr', 'sigstore.json') THEN
        RAISE EXCEPTION 'nothing of the kind % is kept beside a note', kind;
    END IF;
    SELECT h.size INTO newest FROM ccgate.head AS h WHERE h.log = ledger FOR UPDATE;
    IF NOT EXISTS (SELECT FROM ccgate.files AS f WHERE f.log = ledger AND f.path = 'anchors/' || of_size || '.note') THEN
        RAISE EXCEPTION 'there is no note over % records', of_size;
    END IF;
    INSERT INTO ccgate.files (log, path, bytes, since) VALUES (ledger, 'anchors/' || of_size || '.' || kind, content, newest)
        ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- A time-stamp.
CREATE FUNCTION ccgate.keep_token(ledger text, of_size bigint, token bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ccgate.keep_beside(ledger, of_size, 'tsr', token);
$$;

-- A Sigstore bundle.
CREATE FUNCTION ccgate.keep_bundle(ledger text, of_size bigint, bundle bytea) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT ccgate.keep_beside(ledger, of_size, 'sigstore.json', bundle);
$$;

-- For the owner: lets a login in.
CREATE FUNCTION ccgate.admit(ledger text, login name, to_append boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('GRANT USAGE ON SCHEMA ccgate TO %I', login);
    EXECUTE format(
        'GRANT EXECUTE ON FUNCTION ccgate.edge, ccgate.file, ccgate.names, ccgate.files_after, ccgate.checkpoints_after, ccgate.take_turn, ccgate.append, ccgate.keep_token, ccgate.keep_bundle TO %I',
        login
    );
    INSERT INTO ccgate.grants (log, login, may_append) VALUES (ledger, login, to_append)
        ON CONFLICT ON CONSTRAINT grants_pkey DO UPDATE SET may_append = excluded.may_append;
END $$;

-- By default everybody may execute a new function.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA ccgate FROM PUBLIC;

COMMIT;
