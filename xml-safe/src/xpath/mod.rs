//! XPath: evaluations, and the objects that are made for them.
//!
//! [`context`] has the state of evaluations, [`evaluate`] the steps of one, [`compiled`] expressions that are compiled
//! once, [`values`] the conversion of values between XPath and Python, [`functions`] the functions that Python code
//! adds, [`options`] the arguments of an evaluation, and [`names`] and [`causes`] what an expression's text tells about
//! an error, which [`errors`] words.

pub(crate) mod causes;
pub(crate) mod compiled;
pub(crate) mod context;
pub(crate) mod errors;
pub(crate) mod evaluate;
pub(crate) mod functions;
pub(crate) mod names;
pub(crate) mod options;
pub(crate) mod values;
