//! The macros as the parser writes them out: `map` and `filter` are comprehensions
//! that put one entry after the other at the end of a list.

use cel::common::ast::{ComprehensionExpr, Expr, IdedExpr, operators};

/// What a comprehension puts into its list and for which entries, if it is `map` or
/// `filter` as the parser writes them out.
pub(super) fn builds(each: &ComprehensionExpr) -> Option<(Option<&IdedExpr>, &IdedExpr)> {
    let starts_empty = matches!(&each.accu_init.expr, Expr::List(list) if list.elements.is_empty());
    if !starts_empty || !is_result(each, &each.result) {
        return None;
    }
    match &each.loop_step.expr {
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => {
            match call.args.as_slice() {
                [keep, append, no] if is_result(each, no) => {
                    Some((Some(keep), appended(each, append)?))
                }
                _ => None,
            }
        }
        _ => Some((None, appended(each, &each.loop_step)?)),
    }
}

fn is_result(each: &ComprehensionExpr, node: &IdedExpr) -> bool {
    matches!(&node.expr, Expr::Ident(name) if *name == each.accu_var)
}

/// The one entry that a step puts at the end of the result.
fn appended<'e>(each: &ComprehensionExpr, step: &'e IdedExpr) -> Option<&'e IdedExpr> {
    let Expr::Call(call) = &step.expr else {
        return None;
    };
    let [to, list] = call.args.as_slice() else {
        return None;
    };
    let Expr::List(list) = &list.expr else {
        return None;
    };
    match list.elements.as_slice() {
        [gives] if call.func_name == operators::ADD && is_result(each, to) => Some(gives),
        _ => None,
    }
}

/// Whether the list that is built holds entries of the list gone through (`filter`).
pub(super) fn keeps_entries(each: &ComprehensionExpr) -> bool {
    builds(each).is_some_and(
        |(_, gives)| matches!(&gives.expr, Expr::Ident(name) if *name == each.iter_var),
    )
}
