//! The declaration of a kind.

/// Declares a kind: a struct whose fields are read from a component, and its `Identity`.
///
/// What stands in brackets after a field's type says where its value comes from when it is left out, and what it means to a digest:
/// `untouched` before it: the field changes no number, and is no part of the identity; `added`: at its default it is no part of it
/// either, so that tasks from before there was the field are what they were.
///
/// ```text
/// kind! {
///     /// AdamW with decoupled weight decay.
///     pub(crate) struct Adamw as "adamw" {
///         /// Learning rate.
///         lr: Schedule [default Schedule::constant(1e-3)],
///         /// Where a stage leaves it out, the pipeline's line of that name is taken.
///         policy: PolicyInput [inherit],
///         iterations: Count [inherit default Count(10)],
///         on: Split [required],
///         micro_batch: Count [untouched default Count(16)],
///         stop: Vec<String> [added default Vec::new()],
///     }
/// }
/// ```
///
/// The identity has the fields by their names, in their order; that of a kind without fields is `null`. With `pub(crate) struct NAME as "name" with own
/// identity {`, `Identity` is implemented by hand: best of the destructured struct, so that no field is forgotten.
#[macro_export]
macro_rules! kind {
    (
        $(#[doc = $doc:literal])*
        $vis:vis struct $name:ident as $word:literal $(with $own:ident identity)? {
            $( $(#[doc = $field_doc:literal])* $field:ident : $ty:ty [$($rule:tt)+] ),* $(,)?
        }
    ) => {
        $(#[doc = $doc])*
        // Some fields are there for the references to stages that reading them leaves behind.
        #[allow(dead_code)]
        #[derive(Clone, Debug)]
        $vis struct $name {
            $( $(#[doc = $field_doc])* $vis $field: $ty, )*
        }

        impl $name {
            /// What is said of it to people.
            $vis const INFO: $crate::kind::KindInfo = $crate::kind::KindInfo {
                name: $word,
                doc: concat!($($doc, "\n"),*),
                fields: &[ $( $crate::kind::FieldInfo {
                    name: $crate::kind::field_name(stringify!($field)),
                    doc: concat!($($field_doc, "\n"),*),
                    expects: <$ty as $crate::kind::Field>::expects,
                    inherited: $crate::kind_rule!(inherited $($rule)+),
                    required: $crate::kind_rule!(needed $($rule)+),
                    untouched: $crate::kind_rule!(untouched $($rule)+),
                    default: || $crate::kind_rule!(shown $ty, $($rule)+),
                } ),* ],
            };

            /// Reads the fields of a component that are this kind's; reports every mistake. Fields of other names are left to the caller.
            #[allow(unused_variables, dead_code)]
            $vis fn read_fields(component: &$crate::lang::value::Component, reader: &mut $crate::kind::Reader<'_, '_>) -> Option<Self> {
                $( let $field: Option<$ty> = $crate::kind_rule!(read $ty, $word, $crate::kind::field_name(stringify!($field)), component, reader, $($rule)+); )*
                Some(Self { $( $field: $field? ),* })
            }

            /// The identity of each field that can change a number.
            #[allow(unused_mut, dead_code)]
            fn fields(&self) -> $crate::kind::serde_json::Map<String, $crate::kind::serde_json::Value> {
                let mut fields = $crate::kind::serde_json::Map::new();
                $( $crate::kind_rule!(identity self, fields, $field, $ty, $($rule)+); )*
                fields
            }
        }

        $crate::kind_identity!($name $($own)?);
        $crate::kind_defaults!($name {} $( $field [$($rule)+] )*);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! kind_identity {
    ($name:ident own) => {};
    ($name:ident) => {
        impl $crate::kind::Identity for $name {
            fn identity(&self) -> $crate::kind::serde_json::Value {
                match Self::INFO.fields {
                    [] => $crate::kind::serde_json::Value::Null,
                    _ => $crate::kind::serde_json::Value::Object(self.fields()),
                }
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! kind_rule {
    (identity $self:ident, $into:ident, $field:ident, $ty:ty, untouched $($rest:tt)+) => {
        let _ = &$self.$field;
    };
    (identity $self:ident, $into:ident, $field:ident, $ty:ty, added inherit $($rest:tt)+) => {
        $crate::kind_rule!(identity $self, $into, $field, $ty, added $($rest)+)
    };
    (identity $self:ident, $into:ident, $field:ident, $ty:ty, added default $($value:tt)+) => {
        let (identity, usual) = ($crate::kind::Identity::identity(&$self.$field), { let usual: $ty = $($value)+; usual });
        if identity != $crate::kind::Identity::identity(&usual) {
            $into.insert($crate::kind::field_name(stringify!($field)).into(), identity);
        }
    };
    (identity $self:ident, $into:ident, $field:ident, $ty:ty, $($rest:tt)+) => {
        $into.insert($crate::kind::field_name(stringify!($field)).into(), $crate::kind::Identity::identity(&$self.$field));
    };

    (untouched untouched $($rest:tt)+) => { true };
    (untouched $($rest:tt)+) => { false };

    // What is left is said of the rest of the rule.
    (inherited untouched $($rest:tt)+) => { $crate::kind_rule!(inherited $($rest)+) };
    (inherited added $($rest:tt)+) => { $crate::kind_rule!(inherited $($rest)+) };
    (needed untouched $($rest:tt)+) => { $crate::kind_rule!(needed $($rest)+) };
    (needed added $($rest:tt)+) => { $crate::kind_rule!(needed $($rest)+) };
    (shown $ty:ty, untouched $($rest:tt)+) => { $crate::kind_rule!(shown $ty, $($rest)+) };
    (shown $ty:ty, added $($rest:tt)+) => { $crate::kind_rule!(shown $ty, $($rest)+) };
    (read $ty:ty, $kind:expr, $name:expr, $component:expr, $reader:expr, untouched $($rest:tt)+) => {
        $crate::kind_rule!(read $ty, $kind, $name, $component, $reader, $($rest)+)
    };
    (read $ty:ty, $kind:expr, $name:expr, $component:expr, $reader:expr, added $($rest:tt)+) => {
        $crate::kind_rule!(read $ty, $kind, $name, $component, $reader, $($rest)+)
    };

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

/// A kind all of whose fields may be left out has a `Default`: every field left out.
#[doc(hidden)]
#[macro_export]
macro_rules! kind_defaults {
    ($name:ident { $($done:tt)* }) => {
        impl Default for $name {
            fn default() -> Self {
                Self { $($done)* }
            }
        }
    };
    ($name:ident { $($done:tt)* } $field:ident [default $($value:tt)+] $($rest:tt)*) => {
        $crate::kind_defaults!($name { $($done)* $field: $($value)+, } $($rest)*);
    };
    ($name:ident { $($done:tt)* } $field:ident [required] $($rest:tt)*) => {};
    ($name:ident { $($done:tt)* } $field:ident [inherit] $($rest:tt)*) => {};
    ($name:ident { $($done:tt)* } $field:ident [$word:ident $($rule:tt)+] $($rest:tt)*) => {
        $crate::kind_defaults!($name { $($done)* } $field [$($rule)+] $($rest)*);
    };
}

/// Declares an enum of bare words (`cut = left`).
macro_rules! words {
    ( $(#[doc = $doc:literal])* $vis:vis enum $name:ident { $( $(#[doc = $word_doc:literal])* $variant:ident = $word:literal ),+ $(,)? } ) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name { $( $(#[doc = $word_doc])* $variant ),+ }

        impl $name {
            $vis fn word(self) -> &'static str {
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

        impl $crate::kind::Identity for $name {
            fn identity(&self) -> serde_json::Value {
                self.word().into()
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

pub(crate) use words;
