//! A shell command as a tree of lists, pipes and commands (POSIX, XCU 2.9), as far as crontabs use them.
//!
//! Every text has a tree. After a syntax error, the commands are in the tree all the same.

use super::lexer::{Operator, Token, Word};

/// How deep groups and branches are followed: a hostile line may have thousands.
const DEEPEST: usize = 50;

/// Reserved words that end the list before them.
const ENDS: [&[u8]; 7] = [b"then", b"elif", b"else", b"fi", b"done", b"esac", b"}"];

/// Reserved words that do not change the command after them.
const PREFIXES: [&[u8]; 3] = [b"!", b"time", b"do"];

/// Groups are nested more than [`DEEPEST`] times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its groups are more than {DEEPEST} deep")]
pub struct TooDeep;

/// Commands that the shell runs one after the other.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct CommandList(pub Vec<AndOr>);

/// Pipelines with `&&` and `||` between them.
#[derive(Debug, PartialEq, Eq)]
pub struct AndOr {
    pub pipelines: Vec<(Link, Pipeline)>,
    /// Ends with `&`: the shell does not wait for it.
    pub is_background: bool,
}

/// The operator before a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// None: the pipeline is the first one.
    First,
    And,
    Or,
}

/// Commands that start together, joined by `|`.
#[derive(Debug, PartialEq, Eq)]
pub struct Pipeline(pub Vec<ShellCommand>);

#[derive(Debug, PartialEq, Eq)]
pub enum ShellCommand {
    /// Words without redirections. May be empty, as in `;;`.
    Simple(Vec<Word>),
    /// `( … )`
    Subshell(CommandList),
    /// `{ …; }`
    Group(CommandList),
    /// `if …; then …; else …; fi`
    If {
        /// Always run.
        condition: CommandList,
        /// May be run. Further conditions are among them.
        branches: Vec<CommandList>,
    },
    /// A loop, a `case` or a function, run an unknown number of times.
    Repeated(CommandList),
}

/// The tree of a command. Fails if groups are nested too deep.
pub fn tree(tokens: Vec<Token>) -> Result<CommandList, TooDeep> {
    let mut parser = CommandParser { tokens: tokens.into_iter().peekable(), depth: 0, cases: 0 };
    let mut all = parser.list()?;
    // An end without a beginning.
    while parser.tokens.next().is_some() {
        all.0.append(&mut parser.list()?.0);
    }
    Ok(all)
}

struct CommandParser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Token>>,
    depth: usize,
    /// The number of open `case`s, in which `)` ends a pattern.
    cases: usize,
}

impl CommandParser {
    /// Takes all up to a `)` or a reserved word that ends a list.
    fn list(&mut self) -> Result<CommandList, TooDeep> {
        let mut list = CommandList::default();
        loop {
            match self.tokens.peek() {
                Some(Token::Operator(Operator::Close)) if self.cases > 0 => {
                    self.tokens.next();
                }
                None | Some(Token::Operator(Operator::Close)) => break,
                Some(Token::Word(word)) if word.is_reserved(&ENDS) => break,
                Some(_) => list.0.push(self.and_or()?),
            }
        }
        Ok(list)
    }

    fn and_or(&mut self) -> Result<AndOr, TooDeep> {
        let mut pipelines = Vec::new();
        let mut link = Link::First;
        loop {
            pipelines.push((link, self.pipeline()?));
            link = match self.operator() {
                Some(Operator::And) => Link::And,
                Some(Operator::Or) => Link::Or,
                operator => {
                    let is_background = operator == Some(Operator::Background);
                    if is_background || operator == Some(Operator::Sequence) {
                        self.tokens.next();
                    }
                    return Ok(AndOr { pipelines, is_background });
                }
            };
            self.tokens.next();
        }
    }

    fn pipeline(&mut self) -> Result<Pipeline, TooDeep> {
        let mut commands = vec![self.command()?];
        while self.operator() == Some(Operator::Pipe) {
            self.tokens.next();
            commands.push(self.command()?);
        }
        Ok(Pipeline(commands))
    }

    fn command(&mut self) -> Result<ShellCommand, TooDeep> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(TooDeep);
        }
        let command = self.any_command();
        self.depth -= 1;
        command
    }

    fn any_command(&mut self) -> Result<ShellCommand, TooDeep> {
        while self.take_word(&PREFIXES) {}
        let command = if self.operator() == Some(Operator::Open) {
            self.tokens.next();
            let list = self.list()?;
            self.take_close();
            ShellCommand::Subshell(list)
        } else if self.take_word(&[b"{"]) {
            let list = self.list()?;
            self.take_word(&[b"}"]);
            ShellCommand::Group(list)
        } else if self.take_word(&[b"if"]) {
            self.branches()?
        } else if self.take_word(&[b"for", b"while", b"until", b"select"]) {
            let list = self.list()?;
            self.take_word(&[b"done"]);
            ShellCommand::Repeated(list)
        } else if self.take_word(&[b"case"]) {
            self.cases += 1;
            let list = self.list()?;
            self.cases -= 1;
            self.take_word(&[b"esac"]);
            ShellCommand::Repeated(list)
        } else {
            return self.simple_or_function();
        };
        // Only redirections may follow, and the lexer has left them out.
        self.words();
        Ok(command)
    }

    fn branches(&mut self) -> Result<ShellCommand, TooDeep> {
        let condition = self.list()?;
        let mut branches = Vec::new();
        while self.take_word(&[b"then", b"elif", b"else"]) {
            branches.push(self.list()?);
        }
        self.take_word(&[b"fi"]);
        Ok(ShellCommand::If { condition, branches })
    }

    fn simple_or_function(&mut self) -> Result<ShellCommand, TooDeep> {
        let words = self.words();
        if words.is_empty() || self.operator() != Some(Operator::Open) {
            return Ok(ShellCommand::Simple(words));
        }
        self.tokens.next();
        self.take_close();
        let body = self.command()?;
        let pipelines = vec![(Link::First, Pipeline(vec![body]))];
        Ok(ShellCommand::Repeated(CommandList(vec![AndOr { pipelines, is_background: false }])))
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
        let is_one =
            |token: &Token| matches!(token, Token::Word(word) if word.is_reserved(reserved));
        self.tokens.next_if(is_one).is_some()
    }
}
