//! The file with faults, from its bytes to its report.

use super::*;
use crate::{catalog::domain::Plan, values::Currency};

/// A reader for this test only: quotes, doubled quotes, commas. The server reads with a proper one.
fn split(line: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                cell.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    cells.push(cell);
    cells
}

#[test]
fn the_nine_faults_are_found_and_no_others() {
    let file = include_str!("../../../tests/data/purchases-with-faults.csv");
    let expected = include_str!("../../../tests/data/purchases-with-faults.expected.csv");
    let plan: Plan = {
        let lines: Vec<Vec<String>> = include_str!("../../../tests/data/plans.csv").lines().map(split).collect();
        let header = Header::read(lines[0].iter().map(String::as_str), plan_columns()).unwrap();
        read_plan(&header, &lines[1].iter().map(String::as_str).collect::<Vec<_>>()).unwrap()
    };
    let mut lines = file.lines();
    let names = split(lines.next().unwrap());
    let header = Header::read(names.iter().map(String::as_str), purchase_columns()).unwrap();
    let mut found = Vec::new();
    for (line, text) in (2..).zip(lines) {
        let cells = split(text);
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let find = |code: &str| (code == plan.code).then_some(&plan);
        let read = read_purchase(&header, &cells, find, Currency::EUR, &|instant| instant.date_naive());
        let faults = read.err().unwrap_or_default();
        found.extend(faults.into_iter().map(|f| vec![format!("{line}"), f.column, f.value, f.fault.to_string()]));
    }
    let expected: Vec<Vec<String>> = expected.lines().skip(1).map(split).collect();
    assert_eq!(found, expected);
}
