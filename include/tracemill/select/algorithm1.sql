-- Algorithm 1 of DeepDistill (arXiv 2504.17565) and its stage II, for DuckDB: the one place where the rule is written.
--
-- It stands on relations that its user registers (select/algorithm1.py); no text of a recipe or of data gets in here:
--   scores    generation_id, problem_id, teacher, mode, category, score, threshold, passed, living
--   grades    problem_id, teacher, mode, category, asked, decided, passed, variation, highest, threshold, high
--   settings  one row: "by", "mode", at_threshold, best, threshold, variation, ddof, easy_share, easy_keeps, lucky,
--             lucky_below, most, salt
--   limits    one row a category that has settings of its own: category, threshold, variation, easy, most
-- `mode` is '' where a model has one way of being asked. A digest is the first eight bytes of MD5 as a little-endian
-- number: no random number decides anything.

CREATE OR REPLACE TEMP MACRO digest(salt, id) AS md5_number_upper(salt || ':' || id);
CREATE OR REPLACE TEMP MACRO drawn(salt, id) AS (digest(salt, id) >> 11)::DOUBLE / 9007199254740992;  -- in [0, 1)

-- Each response: its score where one can be told, its threshold, and whether it passes (ambiguity a: at equality).
CREATE OR REPLACE TEMP VIEW told AS
SELECT s.generation_id, s.problem_id, s.teacher, s."mode", s.category, s.living,
       CASE WHEN s.score BETWEEN 0 AND 1 THEN s.score END AS worth,
       coalesce(l.threshold, c.threshold) AS given,
       coalesce(given, s.threshold) AS bound,
       CASE WHEN worth IS NULL THEN false
            WHEN given IS NULL AND c.at_threshold = 'scored' THEN coalesce(s.passed, false)
            WHEN c.at_threshold = 'passes' THEN coalesce(worth >= bound, false)
            ELSE coalesce(worth > bound, false) END AS passes,
       CASE WHEN l.threshold IS NOT NULL THEN 'thresholds.' || s.category
            WHEN c.threshold IS NOT NULL THEN 'threshold'
            ELSE 'at_threshold=' || c.at_threshold END AS passes_by
FROM scores s CROSS JOIN settings c LEFT JOIN limits l ON l.category = s.category;

-- Each problem as one model saw it, from the responses. `passing`, `told`: of them those that live, which may be taken.
-- Variations are rounded: sums of floating-point numbers depend on the order of the rows.
CREATE OR REPLACE TEMP VIEW groups_of_scores AS
WITH added AS (
    SELECT problem_id, teacher, "mode", any_value(category) AS category, count(worth) AS decided,
           count(*) FILTER (passes) AS passed, count(*) FILTER (passes AND living) AS passing,
           count(worth) FILTER (living) AS told, max(worth) AS highest, max(bound) AS bound,
           avg(worth) AS mean, stddev_pop(worth) AS deviation
    FROM told GROUP BY problem_id, teacher, "mode")
SELECT a.problem_id, a.teacher, a."mode", a.category, a.decided, a.passed, a.passing, a.told, a.highest, a.bound,
       CASE WHEN mean > 0 AND a.decided > 1
            THEN round(deviation / mean * sqrt(a.decided / (a.decided - c.ddof)), 9) END AS cv, g.high
FROM added a CROSS JOIN settings c
LEFT JOIN grades g ON g.problem_id = a.problem_id AND g.teacher = a.teacher AND g."mode" = a."mode";

-- The same from the table `grades`, where every scored response lives and no threshold is changed.
CREATE OR REPLACE TEMP VIEW groups_of_grades AS
SELECT problem_id, teacher, "mode", category, decided, passed, passed AS passing, decided AS told,
       highest, threshold AS bound, round(variation, 9) AS cv, high
FROM grades WHERE asked > 0;

CREATE OR REPLACE TEMP TABLE groups AS FROM groups_of_scores LIMIT 0;  -- filled from one of the two

-- What Algorithm 1 says of each problem, and how many of its responses it takes (ambiguity b: easy_keeps).
CREATE OR REPLACE TEMP VIEW judged AS
SELECT g.*, g.rowid AS place, coalesce(l.variation, c.variation) AS cut, coalesce(g.high < c.lucky_below, false) AS fluke,
       CASE WHEN c."by" <> g.teacher OR c."mode" <> g."mode" THEN 'other_model'
            WHEN g.decided < 2 THEN 'ungraded'
            WHEN CASE c.best WHEN 'reaches' THEN g.highest < g.bound ELSE g.passed = 0 END THEN 'hopeless'
            WHEN g.cv > cut THEN 'challenging'
            WHEN l.easy IS NOT TRUE THEN 'easy'
            WHEN drawn(c.salt, g.problem_id) < c.easy_share THEN 'easy_kept'
            ELSE 'easy_left' END AS verdict,
       CASE WHEN verdict NOT IN ('challenging', 'easy_kept') THEN 0
            WHEN verdict = 'easy_kept' AND c.easy_keeps = 'all' THEN g.told
            WHEN fluke AND c.lucky = 'drop' THEN 0
            ELSE g.passing END AS taken
FROM groups g CROSS JOIN settings c LEFT JOIN limits l ON l.category = g.category;

-- Stage I: every living response with what decided about it.
CREATE OR REPLACE TEMP VIEW stage_one AS
WITH ruled AS (
    SELECT t.*, j.verdict, j.cv, j.cut, j.fluke, j.decided, j.highest, j.bound AS best_bound, j.high, c,
           CASE WHEN verdict NOT IN ('challenging', 'easy_kept') THEN verdict
                WHEN worth IS NULL THEN 'undecided'
                WHEN verdict = 'easy_kept' AND c.easy_keeps = 'all' THEN verdict
                WHEN NOT passes THEN 'failed'
                WHEN j.fluke AND c.lucky = 'drop' THEN 'lucky'
                ELSE verdict END AS rule
    FROM told t JOIN judged j ON j.problem_id = t.problem_id AND j.teacher = t.teacher AND j."mode" = t."mode"
    CROSS JOIN settings c WHERE t.living)
SELECT r.generation_id, r.problem_id, r.teacher, r."mode", r.category, r.rule,
       r.rule IN ('challenging', 'easy_kept') AS chosen,
       CASE r.rule WHEN 'other_model' THEN CASE WHEN c."by" <> r.teacher THEN 'by=' || c."by" ELSE 'mode=' || c."mode" END
            WHEN 'hopeless' THEN 'best=' || c.best
            WHEN 'failed' THEN passes_by
            WHEN 'lucky' THEN 'lucky=drop'
            WHEN 'easy_kept' THEN 'easy_share, easy_keeps=' || c.easy_keeps
            WHEN 'easy_left' THEN 'easy_share'
            WHEN 'challenging' THEN cut_by WHEN 'easy' THEN cut_by END AS setting,
       CASE r.rule WHEN 'hopeless' THEN highest WHEN 'failed' THEN worth WHEN 'lucky' THEN high
            WHEN 'ungraded' THEN decided
            WHEN 'easy_kept' THEN drawn(c.salt, r.problem_id) WHEN 'easy_left' THEN drawn(c.salt, r.problem_id)
            WHEN 'challenging' THEN cv WHEN 'easy' THEN cv END AS score,
       CASE r.rule WHEN 'hopeless' THEN best_bound WHEN 'failed' THEN r.bound WHEN 'lucky' THEN c.lucky_below
            WHEN 'ungraded' THEN 2 WHEN 'easy_kept' THEN c.easy_share WHEN 'easy_left' THEN c.easy_share
            WHEN 'challenging' THEN cut WHEN 'easy' THEN cut END AS threshold,
       r.cv AS variation, r.fluke AND chosen AS lucky
FROM (SELECT r.*, CASE WHEN l.variation IS NULL THEN 'variation' ELSE 'variations.' || r.category END AS cut_by
      FROM ruled r LEFT JOIN limits l ON l.category = r.category) r;

-- Stage II: of each challenging problem one passing response by digest, and of its models the one it varies most with.
CREATE OR REPLACE TEMP VIEW candidates_of_groups AS
SELECT j.problem_id, j.teacher, j."mode", j.category, j.cv, j.cut, j.highest, j.bound, j.fluke,
       arg_min(t.generation_id, (digest(c.salt, t.generation_id), t.generation_id)) AS generation_id
FROM judged j JOIN told t ON t.problem_id = j.problem_id AND t.teacher = j.teacher AND t."mode" = j."mode"
CROSS JOIN settings c
WHERE j.verdict = 'challenging' AND j.taken > 0 AND t.passes AND t.living
GROUP BY j.problem_id, j.teacher, j."mode", j.category, j.cv, j.cut, j.highest, j.bound, j.fluke
QUALIFY row_number() OVER (PARTITION BY j.problem_id ORDER BY j.cv DESC, j.teacher, j."mode") = 1;

CREATE OR REPLACE TEMP TABLE candidates AS FROM candidates_of_groups LIMIT 0;  -- of all shards

CREATE OR REPLACE TEMP VIEW stage_two AS
SELECT r.*, coalesce(l.most, c.most) AS most, coalesce(r.rank <= coalesce(l.most, c.most), true) AS chosen
FROM (SELECT k.*, row_number() OVER (PARTITION BY k.category
                                     ORDER BY k.cv DESC, digest(c.salt, k.problem_id), k.problem_id) AS rank
      FROM candidates k CROSS JOIN settings c) r
CROSS JOIN settings c LEFT JOIN limits l ON l.category = r.category;

-- Of a change of settings: what was said before of the groups, beside what is said now, by category.
CREATE OR REPLACE TEMP TABLE before AS SELECT place, problem_id, teacher, "mode", verdict, taken FROM judged LIMIT 0;

CREATE OR REPLACE TEMP VIEW changed_in_place AS  -- where the groups are the same
SELECT j.category, b.verdict AS was, j.verdict AS "is", b.taken AS had, j.taken AS has
FROM judged j JOIN before b ON b.place = j.place;

CREATE OR REPLACE TEMP VIEW changed_by_name AS  -- where they were made anew
SELECT j.category, b.verdict AS was, j.verdict AS "is", b.taken AS had, j.taken AS has
FROM judged j JOIN before b ON b.problem_id = j.problem_id AND b.teacher = j.teacher AND b."mode" = j."mode";
