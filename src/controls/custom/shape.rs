//! What kind of value stands behind a name: for the check of an expression and
//! for the generated document.

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// Not known before the expression is worked out.
    Any,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Int,
    /// Text.
    Text,
    /// The name of an account: text that is compared without regard to case, as the
    /// platforms do it.
    Login,
    /// A moment.
    Time,
    /// A length of time.
    Span,
    /// A list.
    List(&'static Self),
    /// Named values.
    Record(&'static [Field]),
    /// The value, or `null` where it is absent in the world.
    Maybe(&'static Self),
}

/// One value of a record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What kind of value.
    pub shape: Shape,
    /// What it says.
    pub about: &'static str,
}

impl Shape {
    /// The kind in words.
    pub fn word(self) -> String {
        match self {
            Self::Any => "anything".to_owned(),
            Self::Null => "null".to_owned(),
            Self::Bool => "bool".to_owned(),
            Self::Int => "number".to_owned(),
            Self::Text => "text".to_owned(),
            Self::Login => "login".to_owned(),
            Self::Time => "timestamp".to_owned(),
            Self::Span => "duration".to_owned(),
            Self::List(of) => format!("list of {}", of.word()),
            Self::Record(_) => "record".to_owned(),
            Self::Maybe(of) => format!("{} or null", of.word()),
        }
    }

    /// The kind without *or null*.
    pub(super) fn present(self) -> Self {
        match self {
            Self::Maybe(of) => of.present(),
            other => other,
        }
    }

    /// A list of this kind.
    pub(super) fn listed(self) -> Self {
        match self {
            Self::Bool => Self::List(&Self::Bool),
            Self::Int => Self::List(&Self::Int),
            Self::Text => Self::List(&Self::Text),
            Self::Login => Self::List(&Self::Login),
            Self::Time => Self::List(&Self::Time),
            Self::Span => Self::List(&Self::Span),
            Self::Any | Self::Null | Self::List(_) | Self::Record(_) | Self::Maybe(_) => {
                Self::List(&Self::Any)
            }
        }
    }

    /// Whether two values of these kinds can be equal at all.
    pub(super) fn comparable(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Null, Self::Null | Self::Maybe(_)) | (Self::Maybe(_), Self::Null) => true,
            (Self::Null, _) | (_, Self::Null) => false,
            (Self::Maybe(of), other) | (other, Self::Maybe(of)) => of.comparable(other),
            (Self::Text | Self::Login, Self::Text | Self::Login) => true,
            (Self::List(one), Self::List(two)) => one.comparable(*two),
            // Two records are compared by what is in them, field by field.
            (Self::Record(_), _) | (_, Self::Record(_)) => false,
            (one, two) => one == two,
        }
    }
}
