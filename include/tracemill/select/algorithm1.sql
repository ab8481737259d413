-- Algorithm 1 of DeepDistill (arXiv 2504.17565) and its stage II, for DuckDB: the one place where the rule is written.
--
-- It stands on relations that its user registers (select/algorithm1.py); no text of a recipe or of data gets in here:
--   scores    generation_id, problem_id, teacher, mode, category, score, threshold, passed, living
--   grades    problem_id, teacher, mode, category, asked, decided, passed, variation, highest, threshold, high
--   settings  one row: "by", "mode", at_threshold, best, threshold, variation, ddof, graded_ddof, least_decided,
--             easy_share, easy_keeps, lucky, lucky_below, most, salt
--   limits    one row a category that has settings of its own: category, threshold, variation, easy, most
--   other_settings, other_limits   the same for what is asked instead; as these where nothing is
-- `mode` is '' where a model has one way of being asked. A digest is the first eight bytes of MD5 as a little-endian
-- number: no random number decides anything.

CREATE OR REPLACE TEMP MACRO digest(salt, id) AS md5_number_upper(salt || ':' || id);
CREATE OR REPLACE TEMP MACRO drawn(salt, id) AS (digest(salt, id) >> 11)::DOUBLE / 9007199254740992;  -- in [0, 1)

-- Whether a score passes (ambiguity a: at equality). `given`: a threshold in place of the one that it was graded by.
CREATE OR REPLACE TEMP MACRO passing_of(worth, given, own, passed, at_threshold) AS
    CASE WHEN worth IS NULL THEN false
         WHEN given IS NULL AND at_threshold = 'scored' THEN coalesce(passed, false)
         WHEN at_threshold = 'passes' THEN coalesce(worth >= coalesce(given, own), false)
         ELSE coalesce(worth > coalesce(given, own), false) END;

-- The coefficient of variation of `decided` scores whose deviation by n is `spread` of their mean; null below two.
-- Rounded to nine digits: what is computed from floating-point numbers in another order must be the same number.
CREATE OR REPLACE TEMP MACRO variation_of(spread, decided, ddof) AS
    CASE WHEN decided > 1 THEN round(spread * sqrt(decided / (decided - ddof)) * 1e9) / 1e9 END;

-- What Algorithm 1 says of a problem as one model saw it. `wanted`: whether these are the model and mode that decide.
CREATE OR REPLACE TEMP MACRO verdict_of(
    wanted, decided, least, passed, highest, bound, best, cv, cut, easy, coin, share) AS
    CASE WHEN NOT wanted THEN 'other_model'
         WHEN decided < least THEN 'ungraded'
         WHEN CASE best WHEN 'reaches' THEN highest < bound ELSE passed = 0 END THEN 'hopeless'
         WHEN cv > cut THEN 'challenging'
         WHEN easy IS NOT TRUE THEN 'easy'
         WHEN coin < share THEN 'easy_kept'
         ELSE 'easy_left' END;

-- How many of its responses are taken (ambiguity b: easy_keeps).
CREATE OR REPLACE TEMP MACRO taken_of(verdict, easy_keeps, fluke, lucky, told, passing) AS
    CASE WHEN verdict NOT IN ('challenging', 'easy_kept') THEN 0
         WHEN verdict = 'easy_kept' AND easy_keeps = 'all' THEN told
         WHEN fluke AND lucky = 'drop' THEN 0
         ELSE passing END;

-- Each response: its score where one can be told, its threshold, and whether it passes, now and as is asked instead.
CREATE OR REPLACE TEMP VIEW told AS
SELECT s.generation_id, s.problem_id, s.teacher, s."mode", s.category, s.living,
       CASE WHEN s.score BETWEEN 0 AND 1 THEN s.score END AS worth,
       coalesce(l.threshold, c.threshold) AS given,
       coalesce(l.threshold, c.threshold, s.threshold) AS bound,
       passing_of(worth, given, s.threshold, s.passed, c.at_threshold) AS passes,
       CASE WHEN l.threshold IS NOT NULL THEN 'thresholds.' || s.category
            WHEN c.threshold IS NOT NULL THEN 'threshold'
            ELSE 'at_threshold=' || c.at_threshold END AS passes_by,
       coalesce(m.threshold, d.threshold, s.threshold) AS bound_then,
       passing_of(worth, coalesce(m.threshold, d.threshold), s.threshold, s.passed, d.at_threshold) AS passes_then
FROM scores s CROSS JOIN settings c LEFT JOIN (FROM limits WHERE threshold IS NOT NULL) l ON l.category = s.category
CROSS JOIN other_settings d LEFT JOIN (FROM other_limits WHERE threshold IS NOT NULL) m ON m.category = s.category;

-- Each problem as one model saw it, from the responses. `passing`, `told`: of them those that live, which may be taken.
-- Scores have six decimals: as whole millionths their sums are exact (below 2^53: of up to 9,000 responses), whatever
-- the order of the rows.
CREATE OR REPLACE TEMP VIEW groups_of_scores AS
WITH added AS (
    SELECT problem_id, teacher, "mode", any_value(category) AS category, count(worth) AS decided,
           count(*) FILTER (passes) AS passed, count(*) FILTER (passes AND living) AS passing,
           count(*) FILTER (passes_then) AS passed_then, count(*) FILTER (passes_then AND living) AS passing_then,
           count(worth) FILTER (living) AS told, max(worth) AS highest,
           max(bound) AS bound, max(bound_then) AS bound_then,
           sum(millionths)::HUGEINT AS total, sum(millionths * millionths)::HUGEINT AS squares
    FROM (SELECT *, round(worth * 1e6) AS millionths FROM told) GROUP BY problem_id, teacher, "mode")
SELECT a.* EXCLUDE (total, squares),
       CASE WHEN total > 0 THEN sqrt(a.decided * squares - total * total) / total END AS spread,
       g.high, NULL::DOUBLE AS coin, 1 AS problems
FROM added a LEFT JOIN (SELECT problem_id, teacher, "mode", max(high) AS high FROM grades GROUP BY ALL) g
ON g.problem_id = a.problem_id AND g.teacher = a.teacher AND g."mode" = a."mode";

-- The same from the table `grades`, where every scored response lives and no threshold is changed.
CREATE OR REPLACE TEMP VIEW groups_of_grades AS
SELECT g.problem_id, g.teacher, g."mode", g.category, g.decided::BIGINT AS decided,
       g.passed::BIGINT AS passed, g.passed::BIGINT AS passing, g.passed::BIGINT AS passed_then,
       g.passed::BIGINT AS passing_then, g.decided::BIGINT AS told, g.highest, g.threshold AS bound,
       g.threshold AS bound_then, g.variation * sqrt((g.decided - coalesce(c.graded_ddof, 0)) / g.decided) AS spread,
       g.high, NULL::DOUBLE AS coin, 1 AS problems
FROM grades g CROSS JOIN settings c WHERE g.asked > 0;

CREATE OR REPLACE TEMP TABLE held AS FROM groups_of_scores LIMIT 0;  -- filled from one of the two
CREATE OR REPLACE TEMP VIEW groups AS FROM held;

-- The groups without ids, to be kept: rows of `alike`, each of a class of groups that agree in all that the rule looks at
-- but the variation and the coin. Of a group that nothing but another threshold could make a taken one these say nothing.
CREATE OR REPLACE TEMP VIEW classed AS
SELECT hash(category, teacher, "mode", decided, passed, passing, told, alive, high) AS class, *
FROM (SELECT g.category, g.teacher, g."mode", g.decided, g.passed, g.passing, g.told, g.problems,
             g.decided > 1 AND (g.passed > 0 OR coalesce(g.highest >= g.bound, false)) AS alive,
             CASE WHEN alive THEN g.high END AS high, CASE WHEN alive THEN g.spread END AS spread,
             CASE WHEN alive AND l.easy THEN drawn(c.salt, g.problem_id) END AS coin
      FROM groups g CROSS JOIN settings c LEFT JOIN limits l ON l.category = g.category);

CREATE OR REPLACE TEMP VIEW alike AS
SELECT class, spread, coin, sum(problems)::BIGINT AS problems FROM classed GROUP BY ALL ORDER BY class;

CREATE OR REPLACE TEMP VIEW classes AS
SELECT DISTINCT class, category, teacher, "mode", decided, passed, passing, told, alive::DOUBLE AS highest,
       1.0::DOUBLE AS bound, high FROM classed;

-- What Algorithm 1 says of each problem, and how many of its responses it takes.
CREATE OR REPLACE TEMP VIEW judged AS
SELECT g.*, variation_of(g.spread, g.decided, c.ddof) AS cv, coalesce(l.variation, c.variation) AS cut,
       coalesce(g.high < c.lucky_below, false) AS fluke,
       verdict_of(coalesce(c."by" = g.teacher, true) AND coalesce(c."mode" = g."mode", true), g.decided,
                  coalesce(c.least_decided, 2), g.passed,
                  g.highest, g.bound, c.best, cv, cut, l.easy, drawn(c.salt, g.problem_id), c.easy_share) AS verdict,
       taken_of(verdict, c.easy_keeps, fluke, c.lucky, g.told, g.passing) AS taken
FROM groups g CROSS JOIN settings c LEFT JOIN limits l ON l.category = g.category;

-- Both sides' settings for a group. A coin is drawn only where it may decide: MD5 is what would cost most.
CREATE OR REPLACE TEMP VIEW sides AS
SELECT *, CASE WHEN undecided THEN coalesce(coin, drawn(salt, problem_id)) END AS coin_was,
       CASE WHEN salt = salt_then THEN coin_was WHEN undecided THEN drawn(salt_then, problem_id) END AS coin_is
FROM (SELECT g.*, c.salt, d.salt AS salt_then, l.easy, m.easy AS easy_then, c.best, d.best AS best_then,
             c.easy_share, d.easy_share AS share_then, coalesce(g.high < c.lucky_below, false) AS fluke,
             coalesce(g.high < d.lucky_below, false) AS fluke_then, coalesce(c.least_decided, 2) AS least,
             coalesce(c."by" = g.teacher, true) AND coalesce(c."mode" = g."mode", true) AS wanted,
             coalesce(d."by" = g.teacher, true) AND coalesce(d."mode" = g."mode", true) AS wanted_then,
             variation_of(g.spread, g.decided, c.ddof) AS cv, variation_of(g.spread, g.decided, d.ddof) AS cv_then,
             coalesce(l.variation, c.variation) AS cut, coalesce(m.variation, d.variation) AS cut_then,
             (l.easy OR m.easy) AND NOT (cv > cut AND cv_then > cut_then) AND
             (g.passed > 0 OR g.passed_then > 0 OR g.highest >= g.bound OR g.highest >= g.bound_then) AS undecided
      FROM groups g CROSS JOIN settings c LEFT JOIN limits l ON l.category = g.category
      CROSS JOIN other_settings d LEFT JOIN other_limits m ON m.category = g.category);

-- What Algorithm 1 says, and what it says by the other settings; groups of which it says the same are added up first.
CREATE OR REPLACE TEMP VIEW compared AS
SELECT b.category, b.problems, b.was, b."is", taken_of(b.was, c.easy_keeps, b.fluke, c.lucky, b.told, b.passing) AS had,
       taken_of(b."is", d.easy_keeps, b.fluke_then, d.lucky, b.told, b.passing_then) AS has
FROM (SELECT category, told, passing, passing_then, fluke, fluke_then, sum(problems)::BIGINT AS problems,
             verdict_of(wanted, decided, least, passed, highest, bound, best, cv, cut, easy, coin_was, easy_share) AS was,
             verdict_of(wanted_then, decided, least, passed_then, highest, bound_then, best_then, cv_then, cut_then,
                        easy_then, coin_is, share_then) AS "is"
      FROM sides GROUP BY ALL) b CROSS JOIN settings c CROSS JOIN other_settings d;

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
            WHEN 'ungraded' THEN coalesce(c.least_decided, 2) WHEN 'easy_kept' THEN c.easy_share WHEN 'easy_left' THEN c.easy_share
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

-- One row a problem: without a step that removes duplicates two shards may hold the same one.
CREATE OR REPLACE TEMP VIEW candidates_once AS
FROM candidates QUALIFY row_number() OVER (
    PARTITION BY problem_id ORDER BY cv DESC, teacher, "mode", generation_id) = 1;

CREATE OR REPLACE TEMP VIEW stage_two AS
SELECT r.*, coalesce(l.most, c.most) AS most, coalesce(r.rank <= coalesce(l.most, c.most), true) AS chosen
FROM (SELECT k.*, row_number() OVER (PARTITION BY k.category
                                     ORDER BY k.cv DESC, digest(c.salt, k.problem_id), k.problem_id) AS rank
      FROM candidates_once k CROSS JOIN settings c) r
CROSS JOIN settings c LEFT JOIN limits l ON l.category = r.category;
