-- The journal, the ledger in it, and what is derived from both.
-- What is chained is never changed; what is derived is written in the same transaction and can be made anew.

-- Chained -------------------------------------------------------------------------------------------------------------

-- One row a commit: a fact, all that was decided on it, and the bytes that were hashed, kept as they were.
CREATE TABLE entry (
    seq  INTEGER PRIMARY KEY,
    day  TEXT NOT NULL CHECK (length(day) = 10),
    body BLOB NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER entry_in_order BEFORE INSERT ON entry
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM entry)
BEGIN SELECT raise(ABORT, 'the sequence has no gaps'); END;

CREATE TRIGGER entry_day_never_goes_back BEFORE INSERT ON entry
WHEN NEW.day < (SELECT day FROM entry WHERE seq = NEW.seq - 1)
BEGIN SELECT raise(ABORT, 'the business day never goes back'); END;

CREATE TRIGGER entry_stays BEFORE UPDATE ON entry
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER entry_is_kept BEFORE DELETE ON entry
BEGIN SELECT raise(ABORT, 'the journal is append-only'); END;

-- The transfers of those rows, where the database itself can judge them.
CREATE TABLE transfer (
    number INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL REFERENCES entry (seq),
    kind   TEXT NOT NULL CHECK (kind IN ('direct', 'pending', 'post', 'void', 'correction')),
    debit  TEXT NOT NULL,
    credit TEXT NOT NULL CHECK (credit <> debit),
    amount INTEGER NOT NULL CHECK (amount > 0),
    of     INTEGER NOT NULL CHECK ((of > 0) = (kind IN ('post', 'void', 'correction'))),
    cause  TEXT NOT NULL CHECK ((cause <> '') = (kind = 'correction'))
) STRICT;

CREATE UNIQUE INDEX resolved_once ON transfer (of) WHERE kind IN ('post', 'void');

CREATE TRIGGER transfer_in_order BEFORE INSERT ON transfer
WHEN NEW.number IS NOT (SELECT coalesce(max(number), 0) + 1 FROM transfer)
BEGIN SELECT raise(ABORT, 'the transfers have no gaps'); END;

CREATE TRIGGER transfer_stays BEFORE UPDATE ON transfer
BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER transfer_is_kept BEFORE DELETE ON transfer
BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;

-- Derived -------------------------------------------------------------------------------------------------------------

-- A guarded account cannot be overdrawn, pending outgoings included.
CREATE TABLE balance (
    account  TEXT PRIMARY KEY,
    posted   INTEGER NOT NULL DEFAULT 0,  -- credits less debits
    reserved INTEGER NOT NULL DEFAULT 0,  -- pending debits
    CHECK (posted >= reserved OR substr(account, 1, 5) NOT IN ('escro', 'payer', 'owed#', 'uncla', 'suspe')),
    CHECK (reserved >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE promise (
    number INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    debit  TEXT NOT NULL,
    credit TEXT NOT NULL,
    amount INTEGER NOT NULL
) STRICT;

-- What moved from class to class on one business day.
CREATE TABLE movement (
    day    TEXT NOT NULL,
    debit  TEXT NOT NULL,
    credit TEXT NOT NULL,
    count  INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (day, debit, credit)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER promise_made AFTER INSERT ON transfer WHEN NEW.kind = 'pending'
BEGIN
    INSERT INTO promise VALUES (NEW.number, NEW.seq, NEW.debit, NEW.credit, NEW.amount);
    INSERT INTO balance (account) VALUES (NEW.debit) ON CONFLICT DO NOTHING;
    UPDATE balance SET reserved = reserved + NEW.amount WHERE account = NEW.debit;
END;

CREATE TRIGGER promise_resolved AFTER INSERT ON transfer WHEN NEW.kind IN ('post', 'void')
BEGIN
    SELECT raise(ABORT, 'only an open promise can be resolved, letter for letter')
    WHERE NOT EXISTS (SELECT 1 FROM promise
                      WHERE number = NEW.of AND debit = NEW.debit AND credit = NEW.credit AND amount = NEW.amount);
    DELETE FROM promise WHERE number = NEW.of;
END;

CREATE TRIGGER promise_dropped AFTER INSERT ON transfer WHEN NEW.kind = 'void'
BEGIN
    UPDATE balance SET reserved = reserved - NEW.amount WHERE account = NEW.debit;
END;

CREATE TRIGGER money_moved AFTER INSERT ON transfer WHEN NEW.kind IN ('direct', 'post', 'correction')
BEGIN
    INSERT INTO balance (account) VALUES (NEW.debit), (NEW.credit) ON CONFLICT DO NOTHING;
    UPDATE balance SET posted = posted + NEW.amount WHERE account = NEW.credit;
    UPDATE balance SET posted = posted - NEW.amount, reserved = reserved - iif(NEW.kind = 'post', NEW.amount, 0)
        WHERE account = NEW.debit;
    INSERT INTO movement
        SELECT day, iif(instr(NEW.debit, '#'), substr(NEW.debit, 1, instr(NEW.debit, '#') - 1), NEW.debit),
               iif(instr(NEW.credit, '#'), substr(NEW.credit, 1, instr(NEW.credit, '#') - 1), NEW.credit), 1, NEW.amount
        FROM entry WHERE seq = NEW.seq
        ON CONFLICT (day, debit, credit) DO UPDATE SET count = count + 1, amount = amount + excluded.amount;
END;

-- A settled account leaves no row, so that what is read of the balances does not grow with the journal's age.
CREATE TRIGGER balance_settled AFTER UPDATE ON balance WHEN NEW.posted = 0 AND NEW.reserved = 0
BEGIN
    DELETE FROM balance WHERE account = NEW.account;
END;

-- Everything with a life of its own, as it stands now: the same bytes as in the row that changed it last.
CREATE TABLE thing (
    number INTEGER PRIMARY KEY,
    seq    INTEGER NOT NULL,
    data   TEXT NOT NULL,
    kind   TEXT NOT NULL GENERATED ALWAYS AS (data ->> '$.kind') VIRTUAL,
    key    TEXT NOT NULL GENERATED ALWAYS AS (data ->> '$.key') VIRTUAL,
    open   INTEGER NOT NULL GENERATED ALWAYS AS (coalesce(data ->> '$.open', 0)) VIRTUAL
) STRICT;

CREATE UNIQUE INDEX thing_by_key ON thing (kind, key);
CREATE INDEX thing_open ON thing (number) WHERE open;

-- Which rows tell the story of which sale.
CREATE TABLE story (sale INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (sale, seq)) STRICT, WITHOUT ROWID;

-- What the machines counted on one business day, beside what the ledger moved.
CREATE TABLE tally (
    day    TEXT NOT NULL,
    line   TEXT NOT NULL,
    count  INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (day, line)
) STRICT, WITHOUT ROWID;

-- One row a business day, and how everything stood when that day closed: balances by class, open promises, and the
-- counters since installation, so that no total ever has to read further back than one day.
CREATE TABLE business_day (day TEXT PRIMARY KEY, first_seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE closing (
    day    TEXT NOT NULL,
    line   TEXT NOT NULL,
    count  INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (day, line)
) STRICT, WITHOUT ROWID;

-- Whose journal this is, since the last row that said so.
CREATE TABLE identity (
    only        INTEGER PRIMARY KEY CHECK (only = 1),
    seq         INTEGER NOT NULL,
    terminal    TEXT NOT NULL,
    incarnation TEXT NOT NULL,
    mode        TEXT NOT NULL CHECK (mode IN ('live', 'bench')),
    currency    TEXT NOT NULL
) STRICT;

-- Erasable ------------------------------------------------------------------------------------------------------------

-- Card numbers and what providers said. The chain holds only a salted commitment to each.
CREATE TABLE personal (
    number INTEGER PRIMARY KEY,
    sale   INTEGER NOT NULL,
    seq    INTEGER NOT NULL REFERENCES entry (seq),
    label  TEXT NOT NULL,
    value  BLOB NOT NULL
) STRICT;

CREATE INDEX personal_by_sale ON personal (sale);
CREATE TABLE salt (sale INTEGER PRIMARY KEY, salt BLOB NOT NULL) STRICT;

CREATE TRIGGER personal_stays BEFORE UPDATE ON personal
BEGIN SELECT raise(ABORT, 'personal data is erased, never changed'); END;

CREATE TRIGGER salt_stays BEFORE UPDATE ON salt
BEGIN SELECT raise(ABORT, 'a salt is erased, never changed'); END;
