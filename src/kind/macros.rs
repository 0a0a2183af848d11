//! The declaration of a kind.

/// Declares a kind: a struct whose fields are read from a component.
///
/// ```text
/// kind! {
///     /// AdamW with decoupled weight decay.
///     pub struct Adamw as "adamw" {
///         /// Learning rate.
///         lr: Schedule [default Schedule::constant(1e-3)],
///         /// Where a stage leaves it out, the pipeline's line of that name is taken.
///         policy: PolicyInput [inherit],
///         iterations: Count [inherit default Count(10)],
///         on: Split [required],
///     }
/// }
/// ```
#[macro_export]
macro_rules! kind {
    (
        $(#[doc = $doc:literal])*
        pub struct $name:ident as $word:literal {
            $( $(#[doc = $field_doc:literal])* $field:ident : $ty:ty [$($rule:tt)+] ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, serde::Serialize)]
        pub struct $name {
            $( $(#[doc = $field_doc])* pub $field: $ty, )*
        }

        impl $name {
            pub const INFO: $crate::kind::KindInfo = $crate::kind::KindInfo {
                name: $word,
                doc: concat!($($doc, "\n"),*),
                fields: &[ $( $crate::kind::FieldInfo {
                    name: $crate::kind::field_name(stringify!($field)),
                    doc: concat!($($field_doc, "\n"),*),
                    expects: <$ty as $crate::kind::Field>::expects,
                    inherited: $crate::kind_rule!(inherited $($rule)+),
                    required: $crate::kind_rule!(needed $($rule)+),
                    default: || $crate::kind_rule!(shown $ty, $($rule)+),
                } ),* ],
            };

            /// Reads the fields of a component that are this kind's; reports every mistake. Fields of other names are left to the caller.
            #[allow(unused_variables, dead_code)]
            pub fn read_fields(component: &$crate::lang::value::Component, reader: &mut $crate::kind::Reader<'_, '_>) -> Option<Self> {
                $( let $field: Option<$ty> = $crate::kind_rule!(read $ty, $word, $crate::kind::field_name(stringify!($field)), component, reader, $($rule)+); )*
                Some(Self { $( $field: $field? ),* })
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! kind_rule {
    (inherited inherit $($rest:tt)*) => { true };
    (inherited $($rest:tt)*) => { false };

    (needed required) => { true };
    (needed inherit) => { true };
    (needed $($rest:tt)*) => { false };

    (shown $ty:ty, inherit) => { None };
    (shown $ty:ty, required) => { None };
    (shown $ty:ty, inherit default $($value:tt)+) => { $crate::kind_rule!(shown $ty, default $($value)+) };
    (shown $ty:ty, default $($value:tt)+) => { { let value: $ty = $($value)+; <$ty as $crate::kind::Field>::shown(&value) } };

    (read $ty:ty, $kind:expr, $name:expr, $component:expr, $reader:expr, required) => {
        $reader.required::<$ty>($component, $kind, $name, false)
    };
    (read $ty:ty, $kind:expr, $name:expr, $component:expr, $reader:expr, inherit) => {
        $reader.required::<$ty>($component, $kind, $name, true)
    };
    (read $ty:ty, $kind:expr, $name:expr, $component:expr, $reader:expr, default $($value:tt)+) => {
        $reader.optional::<$ty>($component, $name, false, || $($value)+)
    };
    (read $ty:ty, $kind:expr, $name:expr, $component:expr, $reader:expr, inherit default $($value:tt)+) => {
        $reader.optional::<$ty>($component, $name, true, || $($value)+)
    };
}

/// Declares an enum of bare words (`cut = left`).
#[macro_export]
macro_rules! words {
    ( $(#[doc = $doc:literal])* pub enum $name:ident { $( $(#[doc = $word_doc:literal])* $variant:ident = $word:literal ),+ $(,)? } ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $word_doc])* $variant ),+ }

        impl $name {
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word ),+ }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                match word.as_str() {
                    $( $word => Ok(Self::$variant), )+
                    _ => Err(serde::de::Error::custom(format!("unknown word `{word}`"))),
                }
            }
        }

        impl $crate::kind::Field for $name {
            fn read(value: &std::sync::Arc<$crate::lang::value::Value>, reader: &mut $crate::kind::Reader<'_, '_>) -> Option<Self> {
                match reader.word(value, &[$($word),+])? {
                    $( $word => Some(Self::$variant), )+
                    _ => None,
                }
            }

            fn expects() -> String {
                [$(concat!("`", $word, "`")),+].join(" or ")
            }

            fn shown(&self) -> Option<String> {
                Some(self.word().to_string())
            }
        }
    };
}
