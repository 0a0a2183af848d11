//! Random valid files, in every layout that the language allows.

/// A small generator of its own, so that a seed means the same file for ever (`SplitMix64`).
pub(crate) struct Random(pub u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n.max(1) as u64) as usize
    }

    pub(crate) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const NAMES: &[&str] =
    &["a", "lambda", "prompt", "pipeline", "from", "x_1", "entropy", "fn", "import", "as", "else", "notable", "_", "loss", "without"];
const ATOMS: &[&str] = &[
    "1",
    "0.5",
    "5e-6",
    "1_000",
    "30min",
    "4GiB",
    "true",
    "false",
    "\"text\"",
    "\"a # \\\"b\\\" {}\"",
    "\"\"\"\n raw \\ (\n\"\"\"",
    "[]",
    "1E+3",
    "250ms",
    "\"\"",
];
const OPERATORS: &[&str] = &["or", "and", "+", "-", "*", "/", "^"];
const COMPARISONS: &[&str] = &["==", "!=", "<", "<=", ">", ">=", ".."];

pub(crate) struct Generator {
    pub random: Random,
    pub out: String,
}

impl Generator {
    pub(crate) fn file(seed: u64) -> String {
        let mut generator = Generator { random: Random(seed), out: String::new() };
        if generator.random.chance(20) {
            generator.out += "language = 1\n";
        }
        let lines = generator.random.below(8);
        for _ in 0..lines {
            generator.gap(true);
            generator.top();
            generator.end_of_line();
        }
        generator.out
    }

    /// Space, and where newlines are space, newlines and comments.
    fn gap(&mut self, newlines: bool) {
        match self.random.below(12) {
            0 | 1 => self.out += " ",
            2 => self.out += "   ",
            3 => self.out += "\t",
            4 if newlines => self.out += "\n",
            5 if newlines => self.out += " # why\n",
            6 if newlines => self.out += "\n\n  # (comment\n  ",
            7 if newlines => self.out += "\r\n    ",
            _ => {}
        }
    }

    fn space(&mut self) {
        self.out += self.random.pick(&[" ", " ", "  ", "\t"]);
    }

    fn end_of_line(&mut self) {
        self.out += self.random.pick(&["\n", "\n", " # end\n", "\n\n\n", "  \n# between\n", "\r\n"]);
    }

    fn name(&mut self) {
        self.out += self.random.pick(NAMES);
    }

    fn path(&mut self) {
        self.name();
        while self.random.chance(25) {
            self.out += ".";
            self.name();
        }
    }

    fn top(&mut self) {
        match self.random.below(8) {
            0 => {
                self.out += "import";
                self.space();
                self.out += "\"std/a.epo\"";
                if self.random.chance(50) {
                    self.out += " as ";
                    self.name();
                }
            }
            1 => {
                self.out += "prompt ";
                self.name();
                self.gap(false);
                self.out += "=";
                self.gap(false);
                self.out += "\"\"\"\n{task}\n  # no comment\n\"\"\"";
            }
            2..=4 => {
                self.out += "pipeline ";
                self.name();
                if self.random.chance(50) {
                    self.out += " from ";
                    self.path();
                }
                self.gap(false);
                self.body(3, true);
            }
            5 => self.function(),
            _ => self.assign(3),
        }
    }

    fn function(&mut self) {
        self.out += "fn ";
        self.name();
        self.out += "(";
        for i in 0..self.random.below(4) {
            if i > 0 {
                self.out += ",";
            }
            self.gap(true);
            self.out += &format!("p{i}");
            self.gap(true);
            if self.random.chance(30) {
                self.out += "=";
                self.gap(true);
                self.expr(1);
            }
        }
        self.out += ")";
        self.gap(false);
        self.out += "=";
        self.gap(false);
        self.expr(2);
    }

    fn assign(&mut self, depth: usize) {
        self.path();
        self.gap(false);
        self.out += "=";
        self.gap(false);
        self.expr(depth);
    }

    fn body(&mut self, depth: usize, in_pipeline: bool) {
        self.out += "{";
        self.gap(true);
        let lines = self.random.below(5);
        for i in 0..lines {
            match self.random.below(10) {
                0 if in_pipeline => self.function(),
                1 if in_pipeline => {
                    self.out += "without ";
                    self.path();
                }
                2 | 3 if depth > 0 => {
                    self.out += self.random.pick(&["loss", "stages", "from", "prompt", "fn", "x"]);
                    self.gap(false);
                    self.body(depth - 1, false);
                }
                _ => self.assign(depth.saturating_sub(1)),
            }
            self.gap(false);
            match self.random.below(3) {
                0 => {
                    self.out += ",";
                    self.gap(true);
                }
                1 => self.end_of_line(),
                _ if i + 1 == lines => self.gap(true),
                _ => self.out += "\n",
            }
        }
        self.out += "}";
    }

    fn expr(&mut self, depth: usize) {
        self.operand(depth);
        let (mut compared, mut ranged) = (false, false);
        for _ in 0..self.random.below(3) {
            let operator = if !compared && !ranged && self.random.chance(30) {
                let operator = self.random.pick(COMPARISONS);
                compared = operator != "..";
                ranged = !compared;
                operator
            } else {
                self.random.pick(OPERATORS)
            };
            // A line goes on at an operator, so newlines may stand on both sides of it.
            self.out += " ";
            self.gap(true);
            self.out += operator;
            self.out += " ";
            self.gap(true);
            self.operand(depth);
        }
    }

    fn operand(&mut self, depth: usize) {
        if self.random.chance(15) {
            self.out += "-";
            self.gap(true);
        }
        match self.random.below(if depth == 0 { 2 } else { 6 }) {
            0 => self.out += self.random.pick(ATOMS),
            1 => self.path(),
            2 => {
                self.out += "(";
                self.gap(true);
                self.expr(depth - 1);
                self.gap(true);
                self.out += ")";
            }
            3 => {
                self.out += "[";
                self.list(depth, false);
                self.out += "]";
            }
            4 => {
                self.path();
                self.out += "(";
                self.list(depth, true);
                self.out += ")";
            }
            _ => {
                self.path();
                self.gap(false);
                self.body(depth - 1, false);
            }
        }
    }

    fn list(&mut self, depth: usize, names: bool) {
        let items = self.random.below(4);
        let first_named = self.random.below(4);
        for i in 0..items {
            self.gap(true);
            if names && i >= first_named {
                self.out += &format!("k{i}");
                self.gap(true);
                self.out += "=";
                self.gap(true);
            }
            self.expr(depth - 1);
            self.gap(true);
            if i + 1 < items || self.random.chance(30) {
                self.out += ",";
                self.gap(true);
            }
        }
        self.gap(true);
    }
}
