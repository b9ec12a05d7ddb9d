-- A leaf keeps what it commits to. Only its salt and body may change: erasing a body's personal part is that.
CREATE TRIGGER audit_leaves_sealed BEFORE UPDATE OF tenant_id, leaf_id, kind, leaf_hash, created_at ON audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_leaves_never_truncated BEFORE TRUNCATE ON audit_leaves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
