"""The literature: what docstrings cite by authors and year, in the order of the alphabet.

Blanchard, Higham, Higham 2021
    Accurately computing the log-sum-exp and softmax functions. IMA Journal of Numerical Analysis 41(4),
    2311-2330. doi:10.1093/imanum/draa038
Ciresan et al. 2010
    D. C. Ciresan, U. Meier, L. M. Gambardella, J. Schmidhuber. Deep, big, simple neural nets for handwritten
    digit recognition. Neural Computation 22(12), 3207-3220. doi:10.1162/NECO_a_00052
Connolly, Higham, Mary 2021
    Stochastic rounding and its probabilistic backward error analysis. SIAM Journal on Scientific Computing
    43(1), A566-A585. doi:10.1137/20M1334796
Fornberg 1988
    Generation of finite difference formulas on arbitrarily spaced grids. Mathematics of Computation 51(184),
    699-706. doi:10.1090/S0025-5718-1988-0935077-0
Glorot, Bengio 2010
    Understanding the difficulty of training deep feedforward neural networks. AISTATS, PMLR 9, 249-256.
Goodfellow et al. 2013
    I. J. Goodfellow, D. Warde-Farley, M. Mirza, A. Courville, Y. Bengio. Maxout networks. ICML, PMLR 28(3),
    1319-1327. arXiv:1302.4389
He, Zhang, Ren, Sun 2015
    Delving deep into rectifiers: surpassing human-level performance on ImageNet classification. ICCV,
    1026-1034. doi:10.1109/ICCV.2015.123
Higham 1993
    The accuracy of floating point summation. SIAM Journal on Scientific Computing 14(4), 783-799.
    doi:10.1137/0914050
Higham 2002
    Accuracy and stability of numerical algorithms. 2nd edition, SIAM. doi:10.1137/1.9780898718027
Higham, Mary 2019
    A new approach to probabilistic rounding error analysis. SIAM Journal on Scientific Computing 41(5),
    A2815-A2835. doi:10.1137/18M1226312
Kingma, Ba 2015
    Adam: a method for stochastic optimization. ICLR. arXiv:1412.6980
LeCun et al. 1998
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-based learning applied to document recognition.
    Proceedings of the IEEE 86(11), 2278-2324. doi:10.1109/5.726791
Loshchilov, Hutter 2017
    SGDR: stochastic gradient descent with warm restarts. ICLR. arXiv:1608.03983
Lyness, Moler 1967
    Numerical differentiation of analytic functions. SIAM Journal on Numerical Analysis 4(2), 202-210.
    doi:10.1137/0704019
Moré, Wild 2011
    Estimating computational noise. SIAM Journal on Scientific Computing 33(3), 1292-1314.
    doi:10.1137/100786125
Nielsen 2015
    Neural networks and deep learning. Determination Press. neuralnetworksanddeeplearning.com
Nocedal, Wright 2006
    Numerical optimization. 2nd edition, Springer. doi:10.1007/978-0-387-40065-5
Novikoff 1962
    On convergence proofs on perceptrons. Symposium on the Mathematical Theory of Automata 12, 615-622.
Parker 1997
    Monte Carlo arithmetic: exploiting randomness in floating-point arithmetic. Technical report CSD-970002,
    University of California, Los Angeles.
Press et al. 2007
    W. H. Press, S. A. Teukolsky, W. T. Vetterling, B. P. Flannery. Numerical recipes: the art of scientific
    computing. 3rd edition, Cambridge University Press.
Rasmus et al. 2015
    A. Rasmus, H. Valpola, M. Honkala, M. Berglund, T. Raiko. Semi-supervised learning with ladder networks.
    NeurIPS. arXiv:1507.02672
Ridders 1982
    Accurate computation of F'(x) and F'(x) F''(x). Advances in Engineering Software 4(2), 75-76.
    doi:10.1016/S0141-1195(82)80057-0
Rosenblatt 1958
    The perceptron: a probabilistic model for information storage and organization in the brain. Psychological
    Review 65(6), 386-408. doi:10.1037/h0042519
Simard et al. 2003
    P. Y. Simard, D. Steinkraus, J. C. Platt. Best practices for convolutional neural networks applied to
    visual document analysis. ICDAR, 958-963. doi:10.1109/ICDAR.2003.1227801
Smith, Topin 2018
    Super-convergence: very fast training of neural networks using large learning rates. arXiv:1708.07120
Sohier et al. 2021
    D. Sohier, P. de Oliveira Castro, F. Févotte, B. Lathuilière, E. Petit, O. Jamond. Confidence intervals
    for stochastic arithmetic. ACM Transactions on Mathematical Software 47(2), 10. doi:10.1145/3432184
Squire, Trapp 1998
    Using complex variables to estimate derivatives of real functions. SIAM Review 40(1), 110-112.
    doi:10.1137/S003614459631241X
Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014
    Dropout: a simple way to prevent neural networks from overfitting. Journal of Machine Learning Research
    15, 1929-1958.
Sutskever, Martens, Dahl, Hinton 2013
    On the importance of initialization and momentum in deep learning. ICML, PMLR 28(3), 1139-1147.
Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016
    Rethinking the Inception architecture for computer vision. CVPR, 2818-2826. doi:10.1109/CVPR.2016.308
Williams 1949
    Experimental designs balanced for the estimation of residual effects of treatments. Australian Journal of
    Scientific Research A 2, 149-168.
"""
