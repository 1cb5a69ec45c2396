//! Walks through a shell command: its lists, pipes, groups and branches (POSIX, XCU 2.9), as far as crontabs use them.
//!
//! Every text has a walk. After a syntax error, the walk goes on with the next command.

use std::{iter::Peekable, vec::IntoIter};

use super::lexer::{Operator, Token, Word};
use super::wait::Wait;

/// The deepest groups and branches that are followed: a hostile line may have thousands.
const DEEPEST: usize = 50;
/// Reserved words that end the list before them.
pub const ENDS: [&[u8]; 7] = [b"then", b"elif", b"else", b"fi", b"done", b"esac", b"}"];
/// Reserved words that do not change the command after them.
const PREFIXES: [&[u8]; 2] = [b"!", b"do"];

pub trait Visitor {
    /// Takes the words of a command, without redirections. There may be none, as in `;;`.
    fn simple(&mut self, words: &[Word], at: Position) -> Effect;
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Position {
    /// The time that the commands before this one take.
    pub wait: Wait,
    /// The shell may skip the command.
    pub is_conditional: bool,
    /// In a loop, a `case` or a function: the shell runs the command an unknown number of times.
    pub is_repeated: bool,
    /// The number of shells around the command.
    pub depth: usize,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Effect {
    pub time: Wait,
    pub may_fail: bool,
    /// An `exit` may have ended the shell.
    pub may_leave: bool,
}

impl Effect {
    pub const UNKNOWN: Self = Self { time: Wait::UNKNOWN, may_fail: true, may_leave: false };

    fn then(self, next: Self) -> Self {
        Self { time: self.time.then(next.time), may_fail: next.may_fail, may_leave: self.may_leave || next.may_leave }
    }
}

impl Position {
    /// The place behind commands with this effect.
    fn behind(self, effect: Effect) -> Self {
        Self { wait: self.wait.then(effect.time), ..self.if_true(effect.may_leave) }
    }

    pub fn if_true(self, is_conditional: bool) -> Self {
        Self { is_conditional: self.is_conditional || is_conditional, ..self }
    }
}

/// Gives each command to `visitor`, in the order of the text. Fails if groups are nested too deep.
pub fn walk(tokens: Vec<Token>, mut at: Position, visitor: &mut impl Visitor) -> Result<(), String> {
    let tokens = tokens.into_iter().peekable();
    let mut walker = Walker { tokens, depth: 0, cases: 0, is_too_deep: false, visitor };
    loop {
        at = at.behind(walker.list(at));
        // An end without a beginning.
        if walker.tokens.next().is_none() {
            let is_too_deep = walker.is_too_deep;
            return if is_too_deep { Err(format!("its groups are more than {DEEPEST} deep")) } else { Ok(()) };
        }
    }
}

struct Walker<'a, V> {
    tokens: Peekable<IntoIter<Token>>,
    depth: usize,
    /// The number of open `case`s, in which `)` ends a pattern.
    cases: usize,
    is_too_deep: bool,
    visitor: &'a mut V,
}

impl<V: Visitor> Walker<'_, V> {
    /// Takes all up to a `)` or a reserved word that ends a list.
    fn list(&mut self, at: Position) -> Effect {
        let mut all = Effect::default();
        loop {
            match self.tokens.peek() {
                Some(Token::Operator(Operator::Close)) if self.cases > 0 => _ = self.tokens.next(),
                None | Some(Token::Operator(Operator::Close)) => return all,
                Some(Token::Word(word)) if word.is_reserved(&ENDS) => return all,
                Some(_) => all = all.then(self.and_or(at.behind(all))),
            }
        }
    }

    /// Takes pipelines with `&&` and `||` between them.
    fn and_or(&mut self, at: Position) -> Effect {
        let mut all = Effect::default();
        let mut is_conditional = false;
        loop {
            all = all.then(self.pipeline(at.behind(all).if_true(is_conditional)));
            let operator = self.operator();
            is_conditional = match operator {
                Some(Operator::And) => all.may_fail || is_conditional,
                Some(Operator::Or) => true,
                Some(Operator::Background | Operator::Sequence) => {
                    self.tokens.next();
                    let is_background = operator == Some(Operator::Background);
                    let effect = Effect { may_leave: all.may_leave, ..Effect::default() };
                    return if is_background { effect } else { all };
                }
                _ => return all,
            };
            self.tokens.next();
        }
    }

    /// Takes commands with `|` between them, which start together. The last one decides.
    fn pipeline(&mut self, at: Position) -> Effect {
        let mut may_leave = false;
        loop {
            let last = self.command(at.if_true(may_leave));
            may_leave |= last.may_leave;
            if self.operator() != Some(Operator::Pipe) {
                return Effect { may_leave, ..last };
            }
            self.tokens.next();
        }
    }

    fn command(&mut self, at: Position) -> Effect {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.is_too_deep = true;
            self.tokens = Vec::new().into_iter().peekable();
        }
        let effect = self.any_command(at);
        self.depth -= 1;
        effect
    }

    fn any_command(&mut self, at: Position) -> Effect {
        while self.take_word(&PREFIXES) {}
        let effect = if self.operator() == Some(Operator::Open) {
            self.tokens.next();
            let effect = self.list(at);
            self.take_close();
            // `exit` ends only the subshell.
            Effect { may_leave: false, ..effect }
        } else if self.take_word(&[b"{"]) {
            let effect = self.list(at);
            self.take_word(&[b"}"]);
            effect
        } else if self.take_word(&[b"if"]) {
            self.branches(at)
        } else if self.take_word(&[b"for", b"while", b"until", b"select"]) {
            let effect = self.repeated(at, Self::list);
            self.take_word(&[b"done"]);
            effect
        } else if self.take_word(&[b"case"]) {
            self.cases += 1;
            let effect = self.repeated(at, Self::list);
            self.cases -= 1;
            self.take_word(&[b"esac"]);
            effect
        } else {
            return self.simple_or_function(at);
        };
        // Only redirections may follow, and the lexer has left them out.
        self.words();
        effect
    }

    /// Takes the condition of `if`, which is always run, and branches, which may be run.
    fn branches(&mut self, at: Position) -> Effect {
        let mut all = self.list(at);
        while self.take_word(&[b"then", b"elif", b"else"]) {
            all = all.then(self.list(at.behind(all).if_true(true)));
        }
        self.take_word(&[b"fi"]);
        Effect { may_fail: true, ..all }
    }

    fn repeated(&mut self, at: Position, take: fn(&mut Self, Position) -> Effect) -> Effect {
        let effect = take(self, Position { is_repeated: true, ..at });
        Effect { may_leave: effect.may_leave, ..Effect::UNKNOWN }
    }

    fn simple_or_function(&mut self, at: Position) -> Effect {
        let words = self.words();
        if words.is_empty() || self.operator() != Some(Operator::Open) {
            return self.visitor.simple(&words, at);
        }
        self.tokens.next();
        self.take_close();
        self.repeated(at, Self::command)
    }

    fn words(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some(Token::Word(word)) = self.tokens.next_if(|it| matches!(it, Token::Word(_))) {
            words.push(word);
        }
        words
    }

    fn operator(&mut self) -> Option<Operator> {
        match self.tokens.peek() {
            Some(Token::Operator(operator)) => Some(*operator),
            _ => None,
        }
    }

    fn take_close(&mut self) {
        self.tokens.next_if(|it| matches!(it, Token::Operator(Operator::Close)));
    }

    fn take_word(&mut self, reserved: &[&[u8]]) -> bool {
        let is_one = |token: &Token| matches!(token, Token::Word(word) if word.is_reserved(reserved));
        self.tokens.next_if(is_one).is_some()
    }
}
