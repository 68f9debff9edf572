//! What must hold of ratings.

use crate::cli::Clause;

pub const CLAUSES: &[Clause] = &[
    Clause {
        promise: 2,
        name: "low_score_without_recovery",
        sql: "select id, about as detail from feedback where recovery_id is null and score is not null \
            and ((measure in ('csat', 'ces') and score <= 2) or (measure = 'nps' and score <= 6))",
    },
    Clause {
        promise: 4,
        name: "score_off_its_scale",
        sql: "select id, about as detail from feedback where score is not null \
            and ((measure = 'csat' and (score < 1 or score > 5)) or (measure = 'ces' and (score < 1 or score > 7)))",
    },
    Clause {
        promise: 6,
        name: "answer_without_history",
        sql: "select f.id, f.about as detail from feedback f where f.score is not null \
            and not exists (select 1 from history h where h.entity = 'feedback' and h.entity_id = f.id and h.act = 'rate')",
    },
];
